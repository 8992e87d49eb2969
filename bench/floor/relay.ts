/**
 * What `mqload -q 1 -m pair` makes a broker read and write, in Node.js and without a broker, as `relay.c` does it:
 *
 *   node bench/floor/relay.ts PORT plain|shared
 *
 * `plain` takes what the sockets bring, `shared` reads as tStack does (`src/listeners/shared-reads.ts`).
 */
import { createServer, type Socket } from "node:net";
import { SharedReads } from "../../src/listeners/shared-reads.ts";

class Connection {
  readonly #socket: Socket;
  #waiting: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  put(bytes: Buffer): void {
    if (this.#waiting.length === 0 && dirty.push(this) === 1) setImmediate(flushAll);
    this.#waiting.push(bytes);
  }

  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#socket.write(waiting.length === 1 ? waiting[0] : Buffer.concat(waiting));
  }
}

const [port, reads] = process.argv.slice(2);
const dirty: Connection[] = [];
const connections = new Map<Socket, Connection>();
const subscribers: Connection[] = [];

function flushAll(): void {
  for (const connection of dirty) connection.flush();
  dirty.length = 0;
}

/** The number behind the slash of a topic `bench/N`. */
function readNumber(topic: Buffer): number {
  return Number(topic.toString("latin1", 6));
}

/** Every packet of this load is shorter than 128 bytes: its length is one byte. */
function receive(this: Socket, bytes: Buffer): void {
  const from = connections.get(this);
  for (let at = 0; from !== undefined && at < bytes.length; at += bytes[at + 1] + 2) {
    const packet = bytes.subarray(at, at + bytes[at + 1] + 2);
    switch (packet[0] >> 4) {
      case 1:
        from.put(Buffer.from([0x20, 2, 0, 0]));
        break;
      case 8:
        subscribers[readNumber(packet.subarray(6, 6 + packet[5]))] = from;
        from.put(Buffer.from([0x90, 3, packet[2], packet[3], 1]));
        break;
      case 3: {
        const topicEnd = 4 + packet[3];
        subscribers[readNumber(packet.subarray(4, topicEnd))].put(Buffer.from(packet));
        from.put(Buffer.from([0x40, 2, packet[topicEnd], packet[topicEnd + 1]]));
      }
    }
  }
}

const shared = new SharedReads(receive);
createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
  const socket = reads === "shared" ? shared.take(accepted) : accepted;
  connections.set(socket, new Connection(socket));
  socket.on("data", receive).on("error", () => socket.destroy());
  socket.on("close", () => connections.delete(socket));
  socket.resume();
}).listen(Number(port), "127.0.0.1");
