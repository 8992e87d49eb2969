/**
 * One connection to one server, ready to be written to: the tables are there, and are ours. It is never mended: whoever
 * sees it fail ends it and opens another. Every wait is bounded, also where the server says nothing any more.
 */
import type { Socket } from "node:net";
import type { Sql, TransactionSql } from "postgres";
import { SinkUnavailable } from "../sink.ts";
import {
  columns,
  createHypertable,
  createTables,
  lockTables,
  lookUpTables,
  lookUpTimescale,
  type Names,
} from "./schema.ts";
import { type Address, describeAddress, type PostgresSettings } from "./settings.ts";
import { openSocket } from "./transport.ts";

/** The server gives up sooner than we do: a statement that nobody waits for any more would hold its locks. */
const serverShare = 2 / 3;

interface TableRow {
  readonly name: "view" | "series" | "values";
  readonly kind: string;
  readonly columns: string;
}

export class Session {
  readonly #sql: Sql;
  readonly #sockets: readonly Socket[];
  readonly #answerMillisecondsMax: number;

  private constructor(sql: Sql, sockets: readonly Socket[], answerSecondsMax: number) {
    this.#sql = sql;
    this.#sockets = sockets;
    this.#answerMillisecondsMax = answerSecondsMax * 1000;
  }

  /** @throws what the driver or the server says, or SinkUnavailable where the tables are somebody else's */
  static async open(
    settings: PostgresSettings,
    address: Address,
    prepare: { readonly names: Names; readonly say: (line: string) => void },
  ): Promise<Session> {
    const { default: postgres } = await import("postgres");
    const sockets: Socket[] = [];
    const sql = postgres(settings.url, driverOptions(settings, address, sockets));
    const session = new Session(sql, sockets, settings.answerSecondsMax);
    try {
      await session.#prepare(settings, address, prepare);
    } catch (error) {
      await session.end();
      throw error;
    }
    return session;
  }

  /** One statement, a transaction by itself. Values are literals as PostgreSQL writes them. */
  async run<Row extends object>(statement: string, values: string[]): Promise<readonly Row[]> {
    return this.#inTime(this.#sql.unsafe<Row[]>(statement, values));
  }

  /** At once: what is under way fails. */
  async end(): Promise<void> {
    await this.#sql.end({ timeout: 0 });
    // The driver waits for a server that may have stopped to answer.
    for (const socket of this.#sockets) socket.destroy();
  }

  async #prepare(
    settings: PostgresSettings,
    address: Address,
    { names, say }: { readonly names: Names; readonly say: (line: string) => void },
  ): Promise<void> {
    const [{ standby }] = await this.run<{ standby: boolean }>(
      `select pg_is_in_recovery() as standby, set_config('statement_timeout', $1, false)`,
      [String(Math.ceil(this.#answerMillisecondsMax * serverShare))],
    );
    if (standby) {
      const where = describeAddress(address);
      throw new SinkUnavailable(`PostgreSQL at ${where} is a standby, which may only be read`);
    }
    const found = await this.#inTime(findTables(this.#sql, settings.table, names));
    if (found.size < 3) await this.#inTime(this.#create(settings, names, say));
  }

  async #create(
    { table, destination }: PostgresSettings,
    names: Names,
    say: (line: string) => void,
  ): Promise<void> {
    const made = await this.#sql.begin(async (sql) => {
      // Whoever starts at the same time waits here, and then finds the tables.
      await sql.unsafe(lockTables(names));
      const found = await findTables(sql, table, names);
      if (found.size === 3) return undefined;
      await sql.unsafe(createTables(names));
      const [timescale] = await sql.unsafe(lookUpTimescale);
      const isHypertable = timescale !== undefined && !found.has("values");
      if (isHypertable) await sql.unsafe(createHypertable(names, timescale.schema));
      return isHypertable ? ", with a hypertable of TimescaleDB" : "";
    });
    if (made !== undefined)
      say(`${destination}: the tables were not there, and have been made${made}`);
  }

  async #inTime<T>(result: PromiseLike<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const error = Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
    const timer = setTimeout(() => reject(error), this.#answerMillisecondsMax);
    try {
      return await Promise.race([result, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param sockets gets the one that is opened */
function driverOptions(settings: PostgresSettings, address: Address, sockets: Socket[]) {
  const { password, answerSecondsMax } = settings;
  let opened = 0;
  return {
    ...("path" in address ? {} : address),
    ...(password === undefined ? {} : { password }),
    max: 1,
    // A pooler may give every statement another connection of the server's.
    prepare: false,
    fetch_types: false,
    max_lifetime: null,
    connect_timeout: answerSecondsMax,
    backoff: () => 0,
    ssl: false,
    connection: { application_name: "tconsume" },
    onnotice: () => undefined,
    // The driver would connect again by itself, for ever and without a pause, where a server closes before it is ready.
    socket: async () => {
      opened += 1;
      if (opened > 1) throw Object.assign(new Error("closed"), { code: "ECONNRESET" });
      const signal = AbortSignal.timeout(answerSecondsMax * 1000);
      const socket = await openSocket(address, settings.tls, signal);
      sockets.push(socket);
      return socket;
    },
  };
}

/** Which of the view and the tables there are. What is there is looked at, and must be ours. */
async function findTables(
  sql: Sql | TransactionSql,
  table: string,
  { view, series, values }: Names,
): Promise<ReadonlySet<TableRow["name"]>> {
  const found = await sql.unsafe<TableRow[]>(lookUpTables, [view, series, values]);
  for (const { name, kind, columns: present } of found) {
    if (name === "view") {
      if (kind !== "v") throw notOurs(table, "there is already something else of that name");
      continue;
    }
    const missing = columns[name].filter((column) => !present.split(" ").includes(column));
    if (missing.length > 0) {
      throw notOurs(`${table}_${name}`, `the columns ${missing.join(", ")} are missing`);
    }
  }
  return new Set(found.map(({ name }) => name));
}

function notOurs(name: string, reason: string): SinkUnavailable {
  const remedy = "rename it, or give another name by --postgres-table";
  return new SinkUnavailable(`${name} in PostgreSQL is no table of tconsume: ${reason}; ${remedy}`);
}
