/** What the broker promises when it acknowledges, held against what is synced at that very moment. */
import type { QoS } from "../../../src/codec/index.ts";
import type { StorageLedger } from "../storage-ledger.ts";
import type { Epoch, Wish } from "./epoch.ts";
import type { MessageRecord } from "./message-book.ts";

export class Promises {
  readonly #ledger: StorageLedger;

  constructor(ledger: StorageLedger) {
    this.#ledger = ledger;
  }

  /** A message that must reach this session is in its queue, or its client has it. */
  keeps(epoch: Epoch, { name }: MessageRecord): string | undefined {
    if (!epoch.lifetime.persists || epoch.flights.taken.has(name)) return undefined;
    const session = this.#ledger.sessionOf(epoch.clientIdentifier);
    if (session !== undefined && this.#ledger.holds(session.session.queue, name)) return undefined;
    return `${name} is acknowledged, and for ${epoch.clientIdentifier} it is not safe`;
  }

  /** The same for a group: in its queue, or in that of one of its members. */
  keepsForGroup(
    group: string,
    { name, qos }: MessageRecord,
    members: readonly Epoch[],
  ): string | undefined {
    if (members.some(({ flights }) => flights.taken.has(name))) return undefined;
    // What is under way at QoS 2 goes with its member.
    if (qos === 2 && members.some(({ lifetime }) => !lifetime.persists)) return undefined;
    const queues = this.#ledger.queuesOf(name);
    if (queues.some((queue) => this.#ledger.shared.get(queue) === group)) return undefined;
    for (const { clientIdentifier } of members) {
      const session = this.#ledger.sessionOf(clientIdentifier);
      if (session !== undefined && queues.includes(session.session.queue)) return undefined;
    }
    return `${name} is acknowledged, and for the group ${group} it is not safe`;
  }

  /** PUBREC: the identifier is known until its PUBREL. */
  remembers(epoch: Epoch, packetIdentifier: number): string | undefined {
    if (!epoch.lifetime.persists) return undefined;
    if (this.#ledger.sessionOf(epoch.clientIdentifier)?.received.has(packetIdentifier))
      return undefined;
    return `PUBREC ${packetIdentifier}, and a crash would make the broker take that message again`;
  }

  /** PUBCOMP: the identifier may name another message. */
  releases(epoch: Epoch, packetIdentifier: number): string | undefined {
    if (!epoch.lifetime.persists) return undefined;
    if (!this.#ledger.sessionOf(epoch.clientIdentifier)?.received.has(packetIdentifier))
      return undefined;
    return `PUBCOMP ${packetIdentifier}, and after a crash the broker would take the next message for a duplicate`;
  }

  /** A QoS 2 message leaves under an identifier that a crash does not give to another; PUBREL replaces it for good. */
  names(epoch: Epoch, packetIdentifier: number, name: string): string | undefined {
    if (!epoch.lifetime.persists) return undefined;
    const session = this.#ledger.sessionOf(epoch.clientIdentifier);
    const rows = session === undefined ? [] : this.#ledger.rowsOf(session.session.queue);
    const row = rows.find((one) => one.packetIdentifier === packetIdentifier);
    if (row?.name === name) return undefined;
    const what = name === "" ? "PUBREL" : name;
    return `${what} leaves as ${packetIdentifier}, which is ${row?.name ?? "nothing"} for the storage`;
  }

  subscribes(epoch: Epoch, filter: string, { options }: Wish): string | undefined {
    if (!epoch.lifetime.persists) return undefined;
    const kept = this.#ledger.sessionOf(epoch.clientIdentifier)?.subscriptions.get(filter);
    if (kept === undefined) return `SUBACK for ${filter}, which is not safe`;
    const { noLocal, retainAsPublished, identifier } = kept;
    const found = describe({ qos: kept.qos, noLocal, retainAsPublished, identifier });
    if (found === describe(options)) return undefined;
    return `SUBACK for ${filter} with ${describe(options)}, and kept is ${found}`;
  }

  unsubscribes(epoch: Epoch, filter: string): string | undefined {
    if (!epoch.lifetime.persists) return undefined;
    const kept = this.#ledger.sessionOf(epoch.clientIdentifier)?.subscriptions.has(filter);
    return kept === true ? `UNSUBACK for ${filter}, and a crash would bring it back` : undefined;
  }

  retains(topic: string, values: readonly string[]): string | undefined {
    const kept = this.#ledger.retained.get(topic) ?? "";
    if (values.includes(kept)) return undefined;
    return `retained on ${topic} is "${kept}" for the storage, and must be one of ${values.map((value) => `"${value}"`).join(", ")}`;
  }
}

function describe(options: {
  qos: QoS;
  noLocal: boolean;
  retainAsPublished: boolean;
  identifier: number;
}): string {
  return JSON.stringify(options);
}
