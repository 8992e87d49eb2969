/**
 * The sessions that a round's peers are given: valid ones, the codec's vectors after a valid CONNECT, and those that led
 * to something new in this generation of rounds.
 */
import { encodePacket, ProtocolVersion } from "../../src/codec/index.ts";
import { parseBytes, propertyVectors, vectors } from "../../src/codec/vectors/index.ts";
import type { Chance } from "./chance.ts";
import { PacketKit } from "./packet-kit.ts";
import { sessionWriters } from "./sessions.ts";

export interface RecordedSession {
  readonly version: ProtocolVersion;
  readonly packets: readonly Buffer[];
}

const versions = [
  ProtocolVersion.v3_1,
  ProtocolVersion.v3_1_1,
  ProtocolVersion.v3_1_1,
  ProtocolVersion.v5,
  ProtocolVersion.v5,
  ProtocolVersion.v5,
] as const;
const writtenCount = 500;
const keptMax = 400;
const vectorsAtOnce = 6;

/** Never changed: all corpora share them. */
const packetsOfVectors = new Map<ProtocolVersion, readonly Buffer[]>(
  Object.values(ProtocolVersion).map((version) => [
    version,
    Object.values(vectors)
      .flat()
      .filter((vector) => vector.versions.includes(version))
      .map(({ bytes }) => parseBytes(bytes)),
  ]),
);
/** Single properties as bytes, right and wrong ones. */
export const propertyBytes: readonly Buffer[] = propertyVectors
  .flatMap(({ bytes, refused = [] }) => [bytes, ...refused.map(([wrong]) => wrong)])
  .map(parseBytes);

export class Corpus {
  readonly #written: readonly RecordedSession[];
  readonly #kept: RecordedSession[] = [];

  constructor(chance: Chance) {
    this.#written = Array.from({ length: writtenCount }, () => {
      const version = chance.pick(versions);
      return chance.happens(0.1) ? drawVectors(version, chance) : writeSession(version, chance);
    });
  }

  draw(chance: Chance): RecordedSession {
    const isKept = this.#kept.length > 0 && chance.happens(0.3);
    return chance.pick(isKept ? this.#kept : this.#written);
  }

  /** One packet of any session of any version, seldom its CONNECT. */
  drawPacket(chance: Chance): Buffer {
    const { packets } = this.draw(chance);
    return chance.happens(0.1) || packets.length === 1
      ? packets[0]
      : packets[chance.between(1, packets.length - 1)];
  }

  keep(session: RecordedSession, chance: Chance): void {
    if (this.#kept.length < keptMax) this.#kept.push(session);
    else this.#kept[chance.below(keptMax)] = session;
  }
}

function writeSession(version: ProtocolVersion, chance: Chance): RecordedSession {
  const packets = chance.pick(sessionWriters)(new PacketKit(version, chance));
  return { version, packets: packets.map((packet) => Buffer.from(encodePacket(packet, version))) };
}

function drawVectors(version: ProtocolVersion, chance: Chance): RecordedSession {
  const known = packetsOfVectors.get(version) ?? [];
  const drawn = Array.from({ length: chance.between(1, vectorsAtOnce) }, () => chance.pick(known));
  const connect = encodePacket(new PacketKit(version, chance).connect(), version);
  return { version, packets: chance.happens(0.8) ? [Buffer.from(connect), ...drawn] : drawn };
}
