/** What a soak sees of the broker each second, and the curve of it as text. */
import { PacketType } from "../../../src/codec/index.ts";
import { connectPacket } from "../../conformance/harness/index.ts";
import { puback, subscribe } from "../../conformance/packets.ts";
import { SoakSocket } from "./soak-socket.ts";

export interface Sample {
  readonly seconds: number;
  readonly residentBytes: number;
  /** What the broker itself counts for memoryBytesMax. */
  readonly memoryBytes: number;
  readonly isShort: boolean;
  readonly connected: number;
  readonly received: number;
  readonly dropped: number;
  readonly refused: number;
  readonly queued: number;
}

const filters = ["memory/#", "clients/#", "publish/messages/#", "limits/#", "store/messages/#"];

/** The figures of `$SYS/broker`, as they come. */
export class Figures {
  readonly #client: SoakSocket;
  readonly #values = new Map<string, string>();

  private constructor(client: SoakSocket) {
    this.#client = client;
    client.onPacket = (packet) => {
      if (packet.type !== PacketType.publish) return;
      const name = packet.topic.replace("$SYS/broker/", "");
      this.#values.set(name, Buffer.from(packet.payload).toString());
      if (packet.packetIdentifier !== undefined) client.send(puback(packet.packetIdentifier));
    };
  }

  static async start(port: number): Promise<Figures> {
    const client = new SoakSocket(port);
    await client.ask(connectPacket(5, { clientIdentifier: "figures" }));
    const figures = new Figures(client);
    client.send(subscribe(filters.map((filter) => `$SYS/broker/${filter}`)));
    return figures;
  }

  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  number(name: string): number {
    return Number(this.#values.get(name) ?? 0);
  }

  sample(seconds: number, residentBytes: number): Sample {
    const limitNames = [...this.#values.keys()].filter((name) => name.startsWith("limits/"));
    return {
      seconds,
      residentBytes,
      memoryBytes: this.number("memory/bytes"),
      isShort: this.text("memory/state") === "short",
      connected: this.number("clients/connected"),
      received: this.number("publish/messages/received"),
      dropped: this.number("publish/messages/dropped"),
      refused: limitNames.reduce((sum, name) => sum + this.number(name), 0),
      queued: this.number("store/messages/count"),
    };
  }

  get dropReasons(): [string, string][] {
    const prefix = "publish/messages/dropped/";
    return [...this.#values].filter(([name, value]) => name.startsWith(prefix) && value !== "0");
  }

  end(): void {
    this.#client.destroy();
  }
}

const megabyte = 1_048_576;
const chartWidth = 40;

export const chartHead =
  "   s  RSS MB  counted  state  clients     received      dropped  refused   stored  RSS, up to the bound";

/** One line of the curve; `boundBytes` is the right edge. */
export function chartLine(sample: Sample, boundBytes: number): string {
  const length = Math.min(chartWidth, Math.round((sample.residentBytes / boundBytes) * chartWidth));
  const cells = [
    sample.seconds.toFixed(0).padStart(4),
    (sample.residentBytes / megabyte).toFixed(0).padStart(7),
    (sample.memoryBytes / megabyte).toFixed(0).padStart(8),
    (sample.isShort ? "short" : "").padStart(6),
    String(sample.connected).padStart(8),
    String(sample.received).padStart(12),
    String(sample.dropped).padStart(12),
    String(sample.refused).padStart(8),
    String(sample.queued).padStart(8),
  ];
  return `${cells.join(" ")}  ${"#".repeat(length).padEnd(chartWidth)}|`;
}
