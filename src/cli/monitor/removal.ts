/** Takes the machine out of Home Assistant: an empty retained message deletes the one that told of it. */
import { Connection, Ending, ProgramFailure, runToEnd, type Talk } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { discoveryTopic } from "./home-assistant.ts";
import type { MonitorOptions } from "./options.ts";

/** The exit code. @throws {ProgramFailure} */
export function removeFromHomeAssistant(
  { connection: connectionOptions, homeAssistant = "", name }: MonitorOptions,
  io: ProgramIo,
  talk: Talk,
): Promise<number> {
  const ending = new Ending();
  const topic = discoveryTopic(homeAssistant, name);
  const connection = new Connection(
    // The tmonitor that may run is not away because of this one.
    { ...connectionOptions, will: undefined },
    {
      online: () => {
        const message = { topic, payload: Buffer.alloc(0) };
        connection.publish(message, { qos: 1, retain: true }, (failure) => {
          if (failure === undefined) ending.succeed();
          else ending.fail(failure);
        });
      },
      failed: (failure) => ending.fail(failure),
    },
    talk,
  );
  return runToEnd({
    io,
    ending,
    timeOutSeconds: connectionOptions.timeOutSeconds,
    start: () => connection.open(),
    interrupted: () => ending.fail(new ProgramFailure("interrupted")),
    close: async () => {
      await connection.close();
    },
  });
}
