/** The tables that the sink makes: by many at once, as hypertables, and what stands in them when readings come again. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import type { Sink } from "../../src/sinks/index.ts";
import { postgresSink } from "../../src/sinks/postgres/index.ts";
import { makeCertificates } from "../cli/certificates.ts";
import { PostgresServer, withoutPostgres } from "./postgres-server.ts";

const skip = withoutPostgres;
const maker = new MessageMaker();
let server: PostgresServer;

before(async () => {
  if (!skip) server = await PostgresServer.start();
});
after(() => server?.end());

async function openSink(table: string, say: (line: string) => void = () => undefined) {
  const { url, password } = server;
  const values = { "postgres-url": url, "postgres-password": password, "postgres-table": table };
  return (await postgresSink.configure(values)).open({ stdout: process.stdout, say });
}

async function withSink(table: string, use: (sink: Sink) => Promise<void>): Promise<void> {
  const sink = await openSink(table);
  try {
    await use(sink);
  } finally {
    await sink.close();
  }
}

test("many that start at once make the tables once, and all write", { skip }, async () => {
  const said: string[] = [];
  const sinks = await Promise.all(
    Array.from({ length: 8 }, () => openSink("metrics.many", (line) => said.push(line))),
  );
  await server.sql.unsafe("create schema metrics");
  await Promise.all(sinks.map((sink) => sink.write([maker.number()])));
  await Promise.all(sinks.map((sink) => sink.close()));
  assert.equal(said.length, 1);
  assert.match(said[0], /, table metrics\.many: the tables were not there, and have been made$/);
  const [{ count }] = await server.sql`select count(*)::int as count from metrics.many`;
  assert.equal(count, 8);
});

test("the view has what people ask for, and finds a topic and a time by its indexes", {
  skip,
}, async () => {
  const message = maker.make({
    topic: "site/hall",
    name: "climate",
    tags: { room: "hall" },
    units: { temp: "°C" },
    fields: { temp: 21.5, open: true, note: "a\0b\ud800" },
  });
  await withSink("asked", async (sink) => {
    assert.equal(await sink.write([message]), 3);
    await sink.write(maker.numbers(2000));
  });
  const rows = await server.sql`
    select topic, name, tags->>'room' as room, field, value, text, boolean, unit from asked
    where topic = 'site/hall' order by field`;
  const one = { topic: "site/hall", name: "climate", room: "hall", unit: null };
  const nothing = { value: null, text: null, boolean: null };
  assert.deepEqual(
    [...rows],
    [
      { ...one, ...nothing, field: "note", text: "a\uFFFDb\uFFFD" },
      { ...one, ...nothing, field: "open", boolean: true },
      { ...one, ...nothing, field: "temp", value: 21.5, unit: "°C" },
    ],
  );
  await server.sql.unsafe("analyze asked_values; analyze asked_series");
  const plan = await server.sql`explain select time, value from asked
    where topic = 'site/hall' and time between now() - interval '1 minute' and now()`;
  assert.match(plan.map((row) => row["QUERY PLAN"]).join("\n"), /Index .*asked_values_pkey/);
});

test("a reading that comes again replaces the one before, also within a batch", {
  skip,
}, async () => {
  const [first, second, third] = [1, 2, 3].map((value) =>
    maker.make({ fields: { value }, time: 1_700_000_000_000_000 }),
  );
  const values = async () => (await server.sql`select value from again`).map(({ value }) => value);
  await withSink("again", async (sink) => {
    await sink.write([first]);
    assert.equal(await sink.write([second, third]), 1);
    assert.deepEqual(await values(), [3]);
    const before = await server.sql`select xmin from again_values`;
    await sink.write([third]);
    assert.deepEqual(await server.sql`select xmin from again_values`, before, "nothing is written");
  });
});

test("a unit that changes is changed", { skip }, async () => {
  const units = async () => (await server.sql`select unit from unit`).map(({ unit }) => unit);
  await withSink("unit", async (sink) => {
    await sink.write([maker.make({ fields: { value: 1 }, units: { value: "F" } })]);
    await sink.write([maker.make({ fields: { value: 2 }, units: { value: "°C" } })]);
    assert.deepEqual(await units(), ["°C", "°C"]);
  });
});

test("with TimescaleDB in the database, values are a hypertable by time", { skip }, async () => {
  const { sql } = server;
  // Debian has no TimescaleDB: its row in the catalogue and its function are made up, to see that it is asked for.
  await sql.unsafe("create database scaled");
  const url = server.url.replace(/postgres$/, "scaled");
  const scaled = { "postgres-url": url, "postgres-password": server.password };
  const { default: postgres } = await import("postgres");
  const owner = postgres(url, { password: server.password, max: 1, onnotice: () => undefined });
  await owner.unsafe(`
    create schema "of timescale";
    create table asked_for (relation text, column_name text);
    create function "of timescale".create_hypertable(relation regclass, column_name name)
      returns void language sql as 'insert into asked_for values ($1, $2)';
    set allow_system_table_mods = on;
    insert into pg_extension select 99999, 'timescaledb', 10, oid, false, '2.0', null, null
      from pg_namespace where nspname = 'of timescale';`);
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  for (const _attempt of ["made", "there already"]) {
    const sink = await (await postgresSink.configure(scaled)).open({ stdout: process.stdout, say });
    await sink.write([maker.number()]);
    await sink.close();
  }
  assert.deepEqual(
    [...(await owner`select * from asked_for`)],
    [{ relation: "readings_values", column_name: "time" }],
  );
  assert.equal(said.length, 1);
  assert.match(said[0], /, table readings: .* have been made, with a hypertable of TimescaleDB$/);
  await owner.end();
});

test("TLS is as sslmode says", { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "postgres-tls-"));
  makeCertificates(folder);
  const secured = await PostgresServer.start(["ssl=on"], {
    "server.crt": readFileSync(path.join(folder, "server.crt")),
    "server.key": readFileSync(path.join(folder, "server.key")),
  });
  const { password, port } = secured;
  const other = path.join(folder, "client.crt");
  const ca = path.join(folder, "ca.crt");
  writeFileSync(path.join(folder, "empty"), "");
  const write = async (search: string, host = "localhost", to = port) => {
    const url = `postgres://postgres@${host}:${to}/postgres?${search}`;
    const configured = await postgresSink.configure({
      "postgres-url": url,
      "postgres-password": password,
    });
    const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
    try {
      await sink.write([maker.number()]);
      const [{ ssl }] = await secured.sql`
        select bool_or(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid)
        where application_name = 'tconsume'`;
      return ssl;
    } finally {
      await sink.close();
    }
  };
  try {
    assert.equal(await write(""), true, "it is preferred");
    assert.equal(await write("sslmode=disable"), false);
    assert.equal(await write("sslmode=require"), true);
    assert.equal(await write(`sslmode=verify-full&sslrootcert=${ca}`), true);
    assert.equal(await write(`sslmode=verify-ca&sslrootcert=${ca}`, "127.0.0.1"), true);
    await assert.rejects(
      write(`sslmode=verify-full&sslrootcert=${ca}`, "127.0.0.1"),
      /certificate is for another host name/,
    );
    await assert.rejects(write("sslmode=verify-full"), /its certificate is not trusted/);
    await assert.rejects(
      write(`sslmode=verify-ca&sslrootcert=${other}`),
      /its certificate is not trusted/,
    );
    await assert.rejects(
      write("sslmode=require", "127.0.0.1", server.port),
      /the server has no TLS, and sslmode asks for it/,
    );
  } finally {
    await secured.end();
    rmSync(folder, { recursive: true });
  }
});
