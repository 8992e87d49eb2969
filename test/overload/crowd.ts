/** Many raw sockets to one broker: what each sends at first, what answers it, and when it is closed. */
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** Connections that are being opened at one time: the backlog of a listener has its end. */
const openingMax = 500;

interface Member {
  readonly socket: Socket;
  answer: Buffer;
  isClosed: boolean;
}

export class Crowd {
  readonly #members: Member[] = [];

  /** `count` sockets, each of which has sent `greeting(index)` as soon as it was open. */
  static async open(
    context: TestContext,
    port: number,
    count: number,
    greeting: (index: number) => Buffer | undefined,
  ): Promise<Crowd> {
    const crowd = new Crowd();
    context.after(() => crowd.close());
    let opened = 0;
    for (let index = 0; index < count; index++) {
      crowd.#open(port, greeting(index), () => opened++);
      while (crowd.#members.length - opened >= openingMax) await sleep(1);
    }
    while (opened < count) await sleep(1);
    return crowd;
  }

  #open(port: number, greeting: Buffer | undefined, opened: () => void): void {
    const socket = connect(port, "127.0.0.1");
    const member: Member = { socket, answer: Buffer.alloc(0), isClosed: false };
    this.#members.push(member);
    let isOpened = false;
    const countOnce = (): void => {
      if (!isOpened) opened();
      isOpened = true;
    };
    socket.on("connect", () => {
      countOnce();
      if (greeting !== undefined) socket.write(greeting);
    });
    socket.on("data", (bytes) => {
      member.answer = Buffer.concat([member.answer, bytes]);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      countOnce();
      member.isClosed = true;
    });
  }

  /** What each has got, in hexadecimal, and how many have. */
  answers(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { answer } of this.#members) {
      const key = answer.toString("hex");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  get answered(): number {
    return this.#members.filter(({ answer }) => answer.length > 0).length;
  }

  get closed(): number {
    return this.#members.filter(({ isClosed }) => isClosed).length;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Until `reached`, for at most so long; answers whether. */
  async until(reached: (crowd: Crowd) => boolean, milliseconds = 20_000): Promise<boolean> {
    const bound = performance.now() + milliseconds;
    while (!reached(this)) {
      if (performance.now() > bound) return false;
      await sleep(10);
    }
    return true;
  }

  close(): void {
    for (const { socket } of this.#members) socket.destroy();
  }
}
