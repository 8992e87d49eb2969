/** What a test reads back from the view of the sink `postgres`. */
import type { Sql } from "postgres";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";

export async function readBack(sql: Sql, table: string): Promise<readonly StoredValue[]> {
  const [{ there }] = await sql`select to_regclass(${table}) is not null as there`;
  if (!there) return [];
  const rows = await sql`
    select topic, name, tags, field, value, text, boolean,
      (extract(epoch from time) * 1000000)::bigint as microseconds
    from ${sql(table)}`;
  return rows.map(({ topic, name, tags, field, value, text, boolean, microseconds }) => ({
    series: JSON.stringify([topic, name, tags]),
    field,
    time: Number(microseconds),
    value: value ?? text ?? boolean,
  }));
}
