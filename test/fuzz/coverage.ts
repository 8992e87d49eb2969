/**
 * How deep a run goes, without a coverage tool: what kinds of packets met which state of a connection, and what came of
 * it. A combination that is new in its generation of rounds is worth keeping; the sums are what the report shows.
 */

/** A run may be for ever: nothing of it may grow with it. */
const namesMax = 1000;

const statesByNumber = ["awaiting CONNECT", "connecting", "connected", "closed"];
const typesByNumber = [
  "type 0",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
  "AUTH",
];

export interface Totals {
  rounds: number;
  packets: number;
  mutated: number;
  /** Packets that met a connection which had its CONNACK. */
  connected: number;
  bytes: number;
  /** Packets by the state that they met and their type. */
  readonly met: Map<string, number>;
  /** Packets from the broker by what they say. */
  readonly answers: Map<string, number>;
  /** Ends of connections, in the log's words. */
  readonly endings: Map<string, number>;
  /** What the broker's counters say at the end of each round, added up. */
  readonly counters: Map<string, number>;
  /** The most combinations that one generation of rounds has met. */
  combinations: number;
}

export function newTotals(): Totals {
  return {
    rounds: 0,
    packets: 0,
    mutated: 0,
    connected: 0,
    bytes: 0,
    met: new Map(),
    answers: new Map(),
    endings: new Map(),
    counters: new Map(),
    combinations: 0,
  };
}

export function add(sums: Map<string, number>, name: string, count = 1): void {
  const isKnown = sums.has(name) || sums.size < namesMax;
  const counted = isKnown ? name : "others";
  sums.set(counted, (sums.get(counted) ?? 0) + count);
}

export interface Encounter {
  readonly state: number;
  readonly isSuspended: boolean;
  readonly version: number;
  readonly firstByte: number;
  readonly outcome: readonly string[];
  /** As the log told it; undefined while the connection stands. */
  readonly ending: string | undefined;
}

export class Coverage {
  readonly totals: Totals;
  #ofGeneration = new Set<string>();

  constructor(totals: Totals) {
    this.totals = totals;
  }

  beginGeneration(): void {
    this.#ofGeneration = new Set();
  }

  /** Whether this has not been before in this generation of rounds. */
  note(encounter: Encounter): boolean {
    const { state, isSuspended, version, firstByte, outcome } = encounter;
    const { totals } = this;
    const stateName = `${statesByNumber[state]}${isSuspended ? ", waiting" : ""}`;
    add(totals.met, `${stateName}|${typesByNumber[firstByte >> 4]}`);
    for (const answer of outcome) add(totals.answers, answer);
    const ending = encounter.ending === undefined ? "" : withoutNumbers(encounter.ending);
    if (ending !== "") add(totals.endings, ending);
    const answers = [...outcome].sort().join(" ");
    const tuple = `${stateName} ${version} ${firstByte} ${answers} ${ending}`;
    if (this.#ofGeneration.has(tuple)) return false;
    this.#ofGeneration.add(tuple);
    totals.combinations = Math.max(totals.combinations, this.#ofGeneration.size);
    return true;
  }
}

/** Ends differ by their cause, not by the numbers and names in it. */
function withoutNumbers(ending: string): string {
  return ending
    .replace(/"[^"]*"/gs, '"..."')
    .replace(/property 0x[0-9a-f]+/, "property n")
    .replace(/(?<!0x)\b\d+\b/g, "n")
    .slice(0, 110);
}
