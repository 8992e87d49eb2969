/** Puts the parts of a consumer together: folder, sinks, pipeline, metrics, progress, and the MQTT side. */
import { randomBytes } from "node:crypto";
import { TstackError } from "../../base/index.ts";
import { describeEndpoint, Ending, openTalk, ProgramFailure, type Talk } from "../client/index.ts";
import { Pipeline, type PipelineSink } from "../pipeline/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { Progress } from "../progress.ts";
import { Consumer } from "./consumer.ts";
import { DataFolder } from "./data-folder.ts";
import { DryRun } from "./dry-run.ts";
import { KeptSubscriptions } from "./kept-subscriptions.ts";
import type { Figures } from "./metric-table.ts";
import { MetricsServer } from "./metrics.ts";
import type { ConsumeOptions } from "./options.ts";
import { describeProgress } from "./progress-text.ts";

const programName = "tconsume";

/** The exit code. @throws {ProgramFailure} */
export async function consume(options: ConsumeOptions, io: ProgramIo): Promise<number> {
  if (options.task === "dry-run") {
    const talk = openTalk(io.stderr, programName, options.connection);
    return new DryRun(options, io, talk).run();
  }
  try {
    return await consumeInFolder(options, io);
  } catch (error) {
    if (error instanceof TstackError) throw new ProgramFailure(error.message, { cause: error });
    throw error;
  }
}

async function consumeInFolder(options: ConsumeOptions, io: ProgramIo): Promise<number> {
  const folder = DataFolder.take(options.dataFolder, `${programName}, process ${process.pid}`);
  let consumer: Consumer | undefined;
  let pipeline: Pipeline | undefined;
  const read = (): Figures | undefined =>
    consumer && pipeline && { counts: pipeline.counts(), consumer: consumer.state };
  const progress = new Progress(io.stderr, describeProgress(read));
  const talk = openTalk(progress, programName, options.connection);
  let metrics: MetricsServer | undefined;
  const stdoutFailed = (error: Error) => consumer?.stdoutFailed(error);
  const printsMessages = options.course.sinks.some(({ name }) => name === "stdout");
  if (printsMessages) io.stdout.on("error", stdoutFailed);
  try {
    if (options.metrics !== undefined) {
      metrics = await MetricsServer.listen(options.metrics, read);
      talk.say(`metrics on ${metrics.url}`);
    }
    const connection = nameSession(options, folder);
    const ending = new Ending();
    pipeline = await Pipeline.open({
      mapping: options.course.mapping,
      sinks: await openSinks(options, io, talk),
      folder: folder.path,
      limits: options.limits,
      talk,
      chance: Math.random,
      safe: (sequence) => consumer?.safe(sequence),
      room: () => consumer?.release(),
      failed: (failure) => ending.fail(failure),
    });
    const broker = describeEndpoint(connection.endpoint);
    const { clientId } = connection;
    const subscriptions = new KeptSubscriptions(folder.path, { broker, clientId });
    const parts = { io, talk, ending, pipeline, subscriptions };
    consumer = new Consumer({ ...options, connection }, parts);
    if (wantsProgress(options, io)) progress.start();
    return await consumer.run();
  } finally {
    progress.stop();
    io.stdout.off("error", stdoutFailed);
    await metrics?.close();
    folder.release();
  }
}

/** The identifier by which the broker finds the session again. */
function nameSession({ connection, hasOwnIdentifier }: ConsumeOptions, folder: DataFolder) {
  if (hasOwnIdentifier) return connection;
  // 23 characters at most, the most that every broker of MQTT 3.1 must take. [MQTT-3.1.3-5]
  const makeUp = () => `${programName}-${randomBytes(6).toString("hex")}`;
  return { ...connection, clientId: folder.clientIdentifier(makeUp) };
}

function openSinks(
  { course }: ConsumeOptions,
  { stdout }: ProgramIo,
  talk: Talk,
): Promise<PipelineSink[]> {
  return Promise.all(
    course.sinks.map(async ({ name, sink }) => {
      const opened = await sink.open({ stdout, say: (line) => talk.say(line) });
      const { destination, takesMessages } = sink;
      return { name, destination, takesMessages, sink: opened };
    }),
  );
}

/** On a terminal, where no messages are printed between. */
function wantsProgress({ course, connection }: ConsumeOptions, { stdout, stderr }: ProgramIo) {
  const isTerminal = (stream: object) => "isTTY" in stream && stream.isTTY === true;
  const printsMessages = isTerminal(stdout) && course.sinks.some(({ name }) => name === "stdout");
  return isTerminal(stderr) && !printsMessages && !connection.quiet && !connection.debug;
}
