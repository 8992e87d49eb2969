/** What the sink says of each trouble with the server or its rights, and that it goes on once the trouble is over. */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type Sink, SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { postgresSink } from "../../src/sinks/postgres/index.ts";
import { readPostgresSettings } from "../../src/sinks/postgres/settings.ts";
import { PostgresSink } from "../../src/sinks/postgres/sink.ts";
import { findFreePort } from "../cli/mosquitto.ts";
import { PostgresServer, withoutPostgres } from "./postgres-server.ts";
import { readBack } from "./postgres-values.ts";

const skip = withoutPostgres;
const world = { stdout: process.stdout, say: () => undefined };
const maker = new MessageMaker();
let server: PostgresServer;

before(async () => {
  if (!skip) server = await PostgresServer.start();
});
after(() => server?.end());

/** Runs `use` with a sink whose settings differ from those that work. */
async function withSink(
  values: Readonly<Record<string, string>>,
  use: (sink: Sink) => Promise<void>,
): Promise<void> {
  const { url, password } = server;
  const all = { "postgres-url": url, "postgres-password": password, ...values };
  const sink = await (await postgresSink.configure(all)).open(world);
  try {
    await use(sink);
  } finally {
    await sink.close();
  }
}

async function isUnavailable(sink: Sink, words: RegExp, message = maker.number()): Promise<void> {
  await assert.rejects(sink.write([message]), (error: Error) => {
    assert.ok(error instanceof SinkUnavailable, `${error}`);
    assert.match(error.message, words);
    assert.ok(!error.message.includes(server.password), "no password in an error");
    return true;
  });
}

/** A user of its own, with the password that the sink gives. */
async function makeUser(name: string, ...rights: readonly string[]): Promise<string> {
  const { sql, password, url } = server;
  await sql.unsafe(`create user ${name} password '${password}'`);
  for (const right of rights) await sql.unsafe(right);
  return url.replace(`//${server.user}@`, `//${name}@`);
}

test("a wrong password is said, with the options that mend it", { skip }, () =>
  withSink({ "postgres-password": "not this" }, (sink) =>
    isUnavailable(sink, /refuses the password of "postgres": PGPASSWORD, --postgres-password-file/),
  ),
);

test("a database that is not there is said", { skip }, () =>
  withSink({ "postgres-url": server.url.replace(/postgres$/, "nowhere") }, (sink) =>
    isUnavailable(sink, /has no database "nowhere": make it with createdb/),
  ),
);

test("a schema that is not there is said", { skip }, () =>
  withSink({ "postgres-table": "nowhere.readings" }, (sink) =>
    isUnavailable(sink, /has no schema for nowhere\.readings/),
  ),
);

test("a port on which nobody listens is said, with the place", { skip }, async () => {
  const port = await findFreePort();
  await withSink({ "postgres-url": `postgres://u:hidden@127.0.0.1:${port}/db` }, (sink) =>
    isUnavailable(sink, new RegExp(`PostgreSQL at 127.0.0.1:${port}/db, table readings .*refused`)),
  );
});

test("a server that closes at once is asked once for each write", { skip }, async () => {
  let connections = 0;
  const closing = net.createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).end();
  });
  await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
  const { port } = closing.address() as net.AddressInfo;
  const url = `postgres://u@127.0.0.1:${port}/db?sslmode=disable`;
  await withSink({ "postgres-url": url }, (sink) => isUnavailable(sink, /closed/));
  closing.close();
  assert.equal(connections, 1);
});

test("a user who may not make tables is told so, and writes once they are there", {
  skip,
}, async () => {
  const url = await makeUser("writer");
  await withSink({ "postgres-url": url }, async (sink) => {
    await isUnavailable(sink, /denies "writer" a right: permission denied for schema public/);
    await withSink({}, async (owner) => void (await owner.write([maker.number()])));
    await isUnavailable(sink, /denies "writer" a right: permission denied for/);
    // As docs/sinks.md has it.
    await server.sql.unsafe(
      "grant select, insert, update on readings_series, readings_values to writer",
    );
    assert.equal(await sink.write([maker.number()]), 1);
  });
});

test("a table of somebody else is left alone", { skip }, async () => {
  await server.sql.unsafe("create table theirs (time int)");
  await withSink({ "postgres-table": "theirs" }, (sink) =>
    isUnavailable(sink, /theirs in PostgreSQL is no table of tconsume.*--postgres-table/),
  );
  await server.sql.unsafe("create table other_values (series_id bigint, time timestamptz)");
  await withSink({ "postgres-table": "other" }, (sink) =>
    isUnavailable(sink, /other_values .* the columns value, text, boolean are missing/),
  );
  assert.deepEqual([...(await server.sql`select * from theirs`)], []);
});

test("a server that may only be read is waited for", { skip }, async () => {
  const url = await makeUser("reader", "alter user reader set default_transaction_read_only = on");
  await withSink({ "postgres-url": url, "postgres-table": "unseen" }, (sink) =>
    isUnavailable(sink, /may only be read now/),
  );
});

test("what a trigger or a check refuses is a refusal of the row", { skip }, async () => {
  await withSink({ "postgres-table": "checked" }, async (sink) => {
    await sink.write([maker.number()]);
    await server.sql.unsafe("alter table checked_values add check (value <> -1)");
    const bad = maker.make({ fields: { value: -1 } });
    await assert.rejects(sink.write([maker.number(), bad]), (error: Error) => {
      assert.ok(error instanceof SinkRefusal && error.refused === undefined, `${error}`);
      return /refused a row: .*check constraint/.test(error.message);
    });
    assert.equal(await sink.write([maker.number()]), 1, "the connection is as good as before");
  });
  assert.equal((await readBack(server.sql, "checked")).length, 2);
});

test("tables and series that vanish are made again", { skip }, async () => {
  await withSink({ "postgres-table": "lost" }, async (sink) => {
    // The same object, which the sink knows already.
    const message = maker.number();
    await sink.write([message]);
    await server.sql.unsafe("delete from lost_values; delete from lost_series");
    await isUnavailable(sink, /has other tables than before/, message);
    assert.equal(await sink.write([message]), 1);
    await server.sql.unsafe("drop view lost; drop table lost_values, lost_series");
    await isUnavailable(sink, /has other tables than before/, message);
    assert.equal(await sink.write([message]), 1);
  });
  assert.equal((await readBack(server.sql, "lost")).length, 1);
});

test("a server that does not answer is not waited for for ever", { skip }, async () => {
  const { url, password } = server;
  const values = {
    "postgres-url": url,
    "postgres-password": password,
    "postgres-table": "frozen",
  };
  const settings = { ...(await readPostgresSettings(values)), answerSecondsMax: 0.5 };
  const sink = new PostgresSink(settings, world);
  await sink.write([maker.number()]);
  server.freeze(true);
  await isUnavailable(sink, /no answer/);
  await isUnavailable(sink, /no answer/);
  server.freeze(false);
  assert.equal(await sink.write([maker.number()]), 1);
  await sink.close();
});

test("a statement that waits for a lock is given up by the server as well", { skip }, async () => {
  const { url, password, sql } = server;
  const values = { "postgres-url": url, "postgres-password": password, "postgres-table": "locked" };
  const settings = { ...(await readPostgresSettings(values)), answerSecondsMax: 1 };
  const sink = new PostgresSink(settings, world);
  await sink.write([maker.number()]);
  await sql.begin(async (transaction) => {
    await transaction.unsafe("lock table locked_values");
    await isUnavailable(sink, /did not write in time: it is busy, or the table is locked/);
  });
  assert.equal(await sink.write([maker.number()]), 1);
  await sink.close();
});

test("of several hosts the next one is taken where one is away", { skip }, async () => {
  const away = await findFreePort();
  const url = server.url.replace("127.0.0.1", `127.0.0.1:${away},127.0.0.1`);
  await withSink({ "postgres-url": url, "postgres-table": "second" }, async (sink) => {
    await isUnavailable(sink, /refused/);
    assert.equal(await sink.write([maker.number()]), 1);
  });
});

test("a standby is said to be one", { skip }, async () => {
  const standby = await PostgresServer.start();
  try {
    await standby.becomeStandby();
    const values = { "postgres-url": standby.url, "postgres-password": standby.password };
    await withSink(values, (sink) => isUnavailable(sink, /is a standby, which may only be read/));
  } finally {
    await standby.end();
  }
});
