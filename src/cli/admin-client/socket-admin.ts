/** The API of a running broker, over the Unix socket in its folder. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { ProgramFailure } from "../client/index.ts";
import type { AdminAnswer, AdminClient, Method } from "./admin-client.ts";

/** The import of many users may take its time. */
const answerSecondsMax = 120;

/** Undefined where nobody listens. @throws ProgramFailure where one may not ask */
export async function openSocketAdmin(path: string): Promise<AdminClient | undefined> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") {
      throw new ProgramFailure(
        `only its owner may open ${path}: run this as the user who runs the broker`,
        { cause: error },
      );
    }
    // ENOENT: none; ECONNREFUSED: of a broker that was killed; EINVAL, ENAMETOOLONG: none can be there.
    return undefined;
  } finally {
    socket.destroy();
  }
  return {
    isRunning: true,
    request: (method, pathAndQuery, body) => ask(path, method, pathAndQuery, body),
    async close() {},
  };
}

async function ask(
  socketPath: string,
  method: Method,
  path: string,
  body: unknown,
): Promise<AdminAnswer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    payload === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) };
  const timeout = answerSecondsMax * 1000;
  const asked = request({ socketPath, method, path, headers, timeout, agent: false });
  asked.on("timeout", () => asked.destroy(new Error(`no answer within ${answerSecondsMax} s`)));
  try {
    asked.end(payload);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const content = await text(answer);
    return {
      status: answer.statusCode ?? 0,
      body: content === "" ? undefined : (JSON.parse(content) as unknown),
    };
  } catch (error) {
    const change = method === "GET" ? "" : "; look whether it was done before you do it again";
    throw new ProgramFailure(
      `the broker's API at ${socketPath} gave no answer (${(error as Error).message}): has the broker ended?${change}`,
      { cause: error },
    );
  }
}
