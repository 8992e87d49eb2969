/**
 * Writes batches into PostgreSQL: first the series that it has not seen, then all values in one statement, which is one
 * transaction. After an error that is not of the rows nothing of what was known about the server is believed.
 */
import type { FieldValue } from "../../readings/index.ts";
import { type MappedMessage, type Sink, SinkRefusal, type SinkWorld } from "../sink.ts";
import { changedTables, codeOf, describeFailure } from "./failures.ts";
import { toColumns, toTextArray, type ValueRow, withoutRepeats } from "./format.ts";
import { lookUpSeries, nameTables, writeSeries, writeValues } from "./schema.ts";
import { SeriesDirectory, type SeriesField } from "./series-directory.ts";
import { Session } from "./session.ts";
import type { PostgresSettings } from "./settings.ts";

export class PostgresSink implements Sink {
  readonly #settings: PostgresSettings;
  readonly #world: SinkWorld;
  readonly #names;
  readonly #statements;
  readonly #directory = new SeriesDirectory();
  #session: Session | undefined;
  #attempt = 0;

  constructor(settings: PostgresSettings, world: SinkWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#names = nameTables(settings.table);
    this.#statements = {
      writeSeries: writeSeries(this.#names),
      lookUpSeries: lookUpSeries(this.#names),
      writeValues: writeValues(this.#names),
    };
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    try {
      this.#session ??= await this.#open();
      const rows = withoutRepeats(await this.#toRows(batch, this.#session));
      if (rows.length === 0) return 0;
      await this.#session.run(this.#statements.writeValues, toColumns(rows));
      return rows.length;
    } catch (error) {
      const failure = describeFailure(error, this.#settings);
      if (!(failure instanceof SinkRefusal)) await this.#forget(error);
      throw failure;
    }
  }

  async close(): Promise<void> {
    await this.#session?.end();
    this.#session = undefined;
  }

  /** Each attempt at the next address, so that a standby becomes the first choice when it has taken over. */
  #open(): Promise<Session> {
    const { addresses } = this.#settings;
    const address = addresses[this.#attempt % addresses.length];
    const say = (line: string) => this.#world.say(line);
    return Session.open(this.#settings, address, { names: this.#names, say });
  }

  async #forget(error: unknown): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (!changedTables.has(codeOf(error) ?? "")) this.#attempt += 1;
    // Another server, or another database, has other numbers.
    this.#directory.clear();
    await session?.end();
  }

  async #toRows(batch: readonly MappedMessage[], session: Session): Promise<readonly ValueRow[]> {
    const rows: { field: SeriesField; seriesId: string; time: number; value: FieldValue }[] = [];
    const unknown: SeriesField[] = [];
    for (const { readings } of batch) {
      for (const { series, time, fields } of readings) {
        for (const [name, value] of fields) {
          const field = this.#directory.find(series, name);
          if (field.id === undefined) unknown.push(field);
          rows.push({ field, seriesId: field.id ?? "", time, value });
        }
      }
    }
    if (unknown.length === 0) return rows;
    await this.#learn(unknown, session);
    return rows.map(({ field, time, value }) => ({ seriesId: field.id ?? "", time, value }));
  }

  /** Makes what is not there, and asks for the numbers. A transaction of its own: what is remembered stays true. */
  async #learn(fields: readonly SeriesField[], session: Session): Promise<void> {
    const byKey = new Map(fields.map((field) => [field.key, field]));
    const one = [...byKey.values()];
    const column = (of: (field: SeriesField) => string | undefined) => toTextArray(one.map(of));
    const keys = column(({ key }) => key);
    await session.run(this.#statements.writeSeries, [
      keys,
      column(({ text }) => text.topic),
      column(({ text }) => text.name),
      column(({ text }) => text.tags),
      column(({ text }) => text.field),
      column(({ text }) => text.unit),
    ]);
    const found = await session.run<{ id: string; key: string }>(this.#statements.lookUpSeries, [
      keys,
    ]);
    const ids = new Map(found.map(({ id, key }) => [key, id]));
    for (const field of fields) field.id = ids.get(field.key);
  }
}
