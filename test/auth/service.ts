/** An HTTP service on 127.0.0.1 for one test, which keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

export interface Question {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** `answer` gets the question and its response; a value that it returns goes out as JSON. */
export async function startService(
  context: TestContext,
  answer: (question: Question, response: ServerResponse) => unknown,
): Promise<{ readonly url: string; readonly questions: Question[] }> {
  const questions: Question[] = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const question = { method, url, headers, body: await text(request) };
    questions.push(question);
    const value = await answer(question, response);
    if (value !== undefined) response.end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`, questions };
}
