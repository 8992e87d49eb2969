/** A webhook that keeps what it gets, and answers as it is told. It can go away and come back on the same port. */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface Post {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent. */
  readonly body: Buffer;
  /** Not compressed. */
  readonly text: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export class WebhookServer {
  /** Those answered with 2xx. */
  readonly taken: Post[] = [];
  /** All of them. */
  readonly posts: Post[] = [];
  connections = 0;
  /** By default 204. Undefined: it breaks off without an answer, having taken the post. */
  answer: (post: Post) => Answer | undefined = () => ({ status: 204 });
  #server: Server = createServer();
  #port = 0;

  static async start(): Promise<WebhookServer> {
    const server = new WebhookServer();
    await server.resume();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook?key=hidden`;
  }

  async resume(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch(() => request.destroy());
    });
    this.#server.on("connection", () => {
      this.connections += 1;
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const isCompressed = request.headers["content-encoding"] === "gzip";
    const text = (isCompressed ? gunzipSync(body) : body).toString();
    const post = { path: request.url ?? "", headers: request.headers, body, text };
    this.posts.push(post);
    const answer = this.answer(post);
    if (answer === undefined || (answer.status >= 200 && answer.status < 300))
      this.taken.push(post);
    if (answer === undefined) request.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.text);
  }
}
