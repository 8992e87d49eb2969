/**
 * What the session at the broker is subscribed to, as far as this folder knows: so a restart does not bring
 * all retained messages again, and what is not wanted any more is given back. A filter stands here only
 * while the session has it for sure: where a crash leaves a doubt, it is asked for again.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncFile } from "../../storage/index.ts";
import { writeWholeFile } from "../whole-file.ts";

type Qos = 0 | 1 | 2;

/** Whose session it is: with another broker or identifier nothing is known. */
interface SessionName {
  readonly broker: string;
  readonly clientId: string;
}

interface Kept extends SessionName {
  readonly filters: Readonly<Record<string, number>>;
}

const fileName = "subscriptions.json";
/** UNSUBSCRIBE is under way. */
const leaving = -1;

export class KeptSubscriptions {
  readonly #folder: string;
  readonly #file: string;
  readonly #session: SessionName;
  #filters: ReadonlyMap<string, number>;

  constructor(folder: string, session: SessionName) {
    this.#folder = folder;
    this.#file = join(folder, fileName);
    this.#session = session;
    this.#filters = readFilters(this.#file, session);
  }

  /** The session is new. Also on the disk, before SUBSCRIBE: a killed program must not believe in the old one. */
  forget(): void {
    rmSync(this.#file, { force: true });
    syncFile(this.#folder);
    this.#filters = new Map();
  }

  /** What the session may not have. */
  missing(wanted: readonly string[], qos: Qos): string[] {
    return wanted.filter((filter) => this.#filters.get(filter) !== qos);
  }

  /** What the session has beside it, to be given back now. */
  takeUnwanted(wanted: readonly string[]): string[] {
    const unwanted = [...this.#filters.keys()].filter((filter) => !wanted.includes(filter));
    if (unwanted.length === 0) return unwanted;
    this.#write([...this.#filters, ...unwanted.map((filter) => [filter, leaving] as const)]);
    return unwanted;
  }

  /** The session has these, and nothing else. */
  keep(granted: readonly string[], qos: Qos): void {
    const isKept = granted.length === this.#filters.size && this.missing(granted, qos).length === 0;
    if (isKept) return;
    this.#write(granted.map((filter) => [filter, qos] as const));
  }

  #write(entries: readonly (readonly [filter: string, qos: number])[]): void {
    const filters = new Map(entries);
    const content: Kept = { ...this.#session, filters: Object.fromEntries(filters) };
    writeWholeFile(this.#file, `${JSON.stringify(content)}\n`, 0o600);
    this.#filters = filters;
  }
}

function readFilters(file: string, { broker, clientId }: SessionName): Map<string, number> {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    if (kept.broker === broker && kept.clientId === clientId) {
      return new Map(Object.entries(kept.filters));
    }
  } catch {
    // Without it, or what it says, everything is asked for again.
  }
  return new Map();
}
