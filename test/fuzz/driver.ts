/**
 * Chooses what happens next in a round: opens connections, plays each peer's session, mutated here and there, answers
 * the broker rightly, wrongly or not at all, and lets time pass. What led to something new goes into the corpus.
 */
import { encodePacket, type Packet } from "../../src/codec/index.ts";
import type { Action } from "./action.ts";
import type { Chance } from "./chance.ts";
import type { Corpus, RecordedSession } from "./corpus.ts";
import { add, type Coverage } from "./coverage.ts";
import { mutate } from "./mutations.ts";
import type { Peer } from "./peer.ts";
import type { World } from "./world.ts";

/** How one peer plays its session. */
interface Part {
  readonly session: RecordedSession;
  /** The share of packets that are spoiled, and of answers that are. */
  readonly spoils: number;
  /** The share of answers that come. */
  readonly answers: number;
  position: number;
  readonly sent: Buffer[];
}

/** Packets of one send, each with whether it is what the session says. */
interface Drawn {
  readonly packets: Buffer[];
  mutated: number;
}

const packetsKept = 40;
const spoilsConnect = 0.15;
const waits = [1, 20, 60, 1000, 6000, 11_000, 60_000, 100_000, 4_000_000, 60_000_000] as const;

export class Driver {
  readonly #world: World;
  readonly #corpus: Corpus;
  readonly #coverage: Coverage;
  readonly #chance: Chance;
  readonly #parts: (Part | undefined)[] = [];

  constructor(
    world: World,
    { corpus, coverage, chance }: { corpus: Corpus; coverage: Coverage; chance: Chance },
  ) {
    this.#world = world;
    this.#corpus = corpus;
    this.#coverage = coverage;
    this.#chance = chance;
  }

  /** Carries out one more action, after `record` was given it. */
  async step(record: (action: Action) => void): Promise<void> {
    const index = this.#chance.below(this.#world.settings.peers);
    const peer = this.#world.peers[index];
    if (this.#chance.happens(0.12)) return await this.#perform(this.#drawEvent(index), record);
    if (peer === undefined || peer.isClosed || peer.isEnded) {
      return await this.#perform(this.#open(index), record);
    }
    if (peer.connection.isSuspended && this.#chance.happens(0.3)) {
      return await this.#perform({ kind: "advance", milliseconds: 60 }, record);
    }
    const part = this.#parts[index];
    if (part !== undefined) await this.#send(index, { peer, part }, record);
  }

  async #perform(action: Action, record: (action: Action) => void): Promise<void> {
    record(action);
    await this.#world.perform(action);
  }

  #drawEvent(peer: number): Action {
    const chance = this.#chance;
    const isBusy = this.#world.peers[peer]?.isBusy === true;
    switch (
      chance.pick(["time", "time", "reading", "cut", "bystand", "bystand", "bystand", "rare"])
    ) {
      case "time":
        return {
          kind: "advance",
          milliseconds: chance.pick(chance.happens(0.8) ? waits.slice(0, 4) : waits),
        };
      case "reading":
        return { kind: isBusy ? "drain" : "busy", peer };
      case "cut":
        return { kind: "cut", peer, isFault: chance.happens(0.5) };
      case "bystand":
        return { kind: "bystand", index: chance.below(2), qos: chance.pick([0, 1, 2]) };
      default:
        if (chance.happens(0.3)) return { kind: "rights" };
        return {
          kind: "publish",
          topic: chance.pick(["a/b", "a", "b", "echo/x"]),
          qos: chance.pick([0, 1, 2]),
          retain: chance.happens(0.2),
          bytes: chance.pick([0, 1, 50, 70_000]),
        };
    }
  }

  #open(peer: number): Action {
    const chance = this.#chance;
    this.#parts[peer] = {
      session: this.#corpus.draw(chance),
      spoils: chance.pick([0.1, 0.3, 0.5, 0.9]),
      answers: chance.pick([0, 0.5, 0.9, 1]),
      position: 0,
      sent: [],
    };
    const traits = {
      answersInWrite: chance.happens(0.1),
      breaksAtByte: chance.happens(0.05) ? chance.between(1, 200) : 0,
      lingers: chance.happens(0.2),
    };
    return { kind: "open", peer, traits };
  }

  async #send(
    index: number,
    { peer, part }: { peer: Peer; part: Part },
    record: (action: Action) => void,
  ): Promise<void> {
    const drawn: Drawn = { packets: [], mutated: 0 };
    const count = this.#chance.pick([1, 1, 1, 1, 2, 3, 8]);
    for (let each = 0; each < count; each++) {
      if (peer.owed.length > 0 && this.#chance.happens(0.5)) this.#drawAnswer(peer, part, drawn);
      else this.#drawFromSession(part, drawn);
    }
    const bytes = Buffer.concat(drawn.packets);
    if (bytes.length === 0) return;
    part.sent.push(...drawn.packets);
    const { state, isSuspended, protocolVersion } = peer.connection;
    this.#count(drawn, { bytes: bytes.length, isConnected: peer.witness.isConnected });
    peer.witness.outcome.clear();
    await this.#perform(
      { kind: "send", peer: index, bytes, splits: this.#drawSplits(bytes) },
      record,
    );
    const isNew = this.#coverage.note({
      state,
      isSuspended,
      version: protocolVersion,
      firstByte: drawn.packets.at(-1)?.[0] ?? 0,
      outcome: [...peer.witness.outcome],
      ending: this.#world.endings.get(peer.remoteAddress),
    });
    if (!isNew || part.sent.length > packetsKept) return;
    this.#corpus.keep({ version: part.session.version, packets: [...part.sent] }, this.#chance);
  }

  #count(
    { packets, mutated }: Drawn,
    { bytes, isConnected }: { bytes: number; isConnected: boolean },
  ): void {
    const { totals } = this.#coverage;
    totals.packets += packets.length;
    totals.mutated += mutated;
    totals.bytes += bytes;
    if (isConnected) totals.connected += packets.length;
    add(totals.counters, "sends");
  }

  #drawAnswer(peer: Peer, { answers, spoils }: Part, drawn: Drawn): void {
    const chance = this.#chance;
    // Not always in the order in which they are owed.
    const at = chance.happens(0.9) ? 0 : chance.below(peer.owed.length);
    const [answer] = peer.owed.splice(at, 1);
    if (!chance.happens(answers)) return;
    const encode = (packet: Packet): Buffer => Buffer.from(encodePacket(packet, peer.version));
    if (!chance.happens(spoils / 2)) {
      drawn.packets.push(encode(answer));
      return;
    }
    drawn.mutated++;
    const isRefusal = chance.happens(0.3) && (answer.type === 4 || answer.type === 5);
    if (isRefusal) drawn.packets.push(encode({ ...answer, reasonCode: 0x80 }));
    else drawn.packets.push(mutate(encode(answer), chance));
  }

  #drawFromSession(part: Part, drawn: Drawn): void {
    const chance = this.#chance;
    const { packets } = part.session;
    // A session that is over goes on with what others say after their CONNECT.
    const next =
      part.position < packets.length ? packets[part.position++] : this.#corpus.drawPacket(chance);
    // Who fails at CONNECT sees nothing of the rest.
    const isFirst = part.sent.length === 0 && drawn.packets.length === 0;
    if (!chance.happens(isFirst ? part.spoils * spoilsConnect : part.spoils)) {
      drawn.packets.push(next);
      return;
    }
    drawn.mutated++;
    switch (chance.below(10)) {
      case 0: // a packet of before, once more
        drawn.packets.push(next, part.sent.length > 0 ? chance.pick(part.sent) : next);
        break;
      case 1: // in another order
        drawn.packets.push(packets[part.position] ?? next, next);
        part.position++;
        break;
      case 2: // one is left out
        drawn.mutated--;
        break;
      case 3: // out of another session
        drawn.packets.push(this.#corpus.drawPacket(chance), next);
        break;
      default:
        drawn.packets.push(mutate(next, chance));
    }
  }

  #drawSplits(bytes: Buffer): number[] {
    const chance = this.#chance;
    if (bytes.length < 2 || chance.happens(0.85)) return [];
    if (bytes.length < 60 && chance.happens(0.2)) {
      return Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    }
    const places = Array.from({ length: chance.between(1, 4) }, () =>
      chance.between(1, bytes.length - 1),
    );
    return [...new Set(places)].sort((a, b) => a - b);
  }
}
