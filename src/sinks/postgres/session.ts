/**
 * One connection to one server, ready to be written to: the tables are there, and are ours. It is never mended: whoever
 * sees it fail ends it and opens another. Every wait is bounded, also where the server says nothing any more.
 */
import type { Sql } from "postgres";
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
  readonly is_view: boolean;
  readonly is_series: boolean;
  readonly kind: string;
  readonly columns: string;
}

export class Session {
  readonly #sql: Sql;
  readonly #answerMillisecondsMax: number;

  private constructor(sql: Sql, answerSecondsMax: number) {
    this.#sql = sql;
    this.#answerMillisecondsMax = answerSecondsMax * 1000;
  }

  /** @throws what the driver or the server says, or SinkUnavailable where the tables are somebody else's */
  static async open(
    settings: PostgresSettings,
    address: Address,
    prepare: { readonly names: Names; readonly say: (line: string) => void },
  ): Promise<Session> {
    const { default: postgres } = await import("postgres");
    const session = new Session(
      postgres(settings.url, driverOptions(settings, address)),
      settings.answerSecondsMax,
    );
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
  }

  async #prepare(
    { table }: PostgresSettings,
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
    if (!(await this.#hasTables(table, names))) {
      await this.#inTime(this.#create(names, say));
      await this.#hasTables(table, names);
    }
  }

  /** Whether all is there; what is there is looked at. */
  async #hasTables(table: string, { view, series, values }: Names): Promise<boolean> {
    const found = await this.run<TableRow>(lookUpTables, [view, series, values]);
    for (const row of found) {
      if (row.is_view) {
        if (row.kind === "v") continue;
        throw notOurs(table, "there is already something else of that name");
      }
      const name = `${table}_${row.is_series ? "series" : "values"}`;
      const present = row.columns.split(" ");
      const missing = columns[row.is_series ? "series" : "values"].filter(
        (column) => !present.includes(column),
      );
      if (missing.length > 0) throw notOurs(name, `the columns ${missing.join(", ")} are missing`);
    }
    return found.length === 3;
  }

  async #create(names: Names, say: (line: string) => void): Promise<void> {
    await this.#sql.begin(async (sql) => {
      // Whoever starts at the same time waits here, and then finds the tables.
      await sql.unsafe(lockTables(names));
      const [{ isNew }] = await sql.unsafe(`select to_regclass($1) is null as "isNew"`, [
        names.values,
      ]);
      await sql.unsafe(createTables(names));
      const [timescale] = await sql.unsafe(lookUpTimescale);
      if (!isNew) return;
      if (timescale !== undefined) await sql.unsafe(createHypertable(names, timescale.schema));
      const kind = timescale === undefined ? "tables" : "tables, with a hypertable of TimescaleDB,";
      say(`postgres: made the ${kind} of ${names.table}`);
    });
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

function driverOptions(settings: PostgresSettings, address: Address) {
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
    onnotice: () => undefined,
    // The driver would connect again by itself, for ever and without a pause, where a server closes before it is ready.
    socket: () => {
      opened += 1;
      if (opened > 1) throw Object.assign(new Error("closed"), { code: "ECONNRESET" });
      return openSocket(address, settings.tls, AbortSignal.timeout(answerSecondsMax * 1000));
    },
  };
}

function notOurs(name: string, reason: string): SinkUnavailable {
  const remedy = "rename it, or give another name by --postgres-table";
  return new SinkUnavailable(`${name} in PostgreSQL is no table of tconsume: ${reason}; ${remedy}`);
}
