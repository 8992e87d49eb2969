/**
 * A stream into a real PostgreSQL that is killed and stopped in the middle of it. What was said to be written is there
 * after each restart, and at the end nothing is missing and nothing doubled. The server's own setting is the careless
 * one, which loses the last instants.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type MappedMessage, type Sink, SinkUnavailable } from "../../src/sinks/index.ts";
import { postgresSink } from "../../src/sinks/postgres/index.ts";
import { PostgresServer, withoutPostgres } from "./postgres-server.ts";

const batchSize = 100;
const careless = ["synchronous_commit=off", "wal_writer_delay=10s"];

interface Stream {
  readonly sink: Sink;
  readonly written: MappedMessage[];
  unavailable: number;
  isOver: boolean;
}

/** Writes until it is told to stop; the same batch again where the server is away. */
async function stream(state: Stream): Promise<void> {
  const maker = new MessageMaker();
  const topics = Array.from({ length: 50 }, (_, index) => `site/room${index}/temp`);
  while (!state.isOver) {
    const batch = Array.from({ length: batchSize }, (_, index) =>
      maker.number(topics[index % topics.length]),
    );
    for (;;) {
      try {
        await state.sink.write(batch);
        break;
      } catch (error) {
        if (!(error instanceof SinkUnavailable)) throw error;
        state.unavailable += 1;
        await sleep(20);
      }
    }
    state.written.push(...batch);
  }
}

const timeOf = ({ readings: [{ time }] }: MappedMessage) => time;

async function readTimes(server: PostgresServer): Promise<readonly number[]> {
  const rows = await server.sql`
    select (extract(epoch from time) * 1000000)::bigint as time from readings order by time`;
  return rows.map(({ time }) => Number(time));
}

async function waitForMore({ written }: Stream): Promise<void> {
  const enough = written.length + 20 * batchSize;
  while (written.length < enough) await sleep(5);
}

test("nothing of a stream is lost or doubled when PostgreSQL is killed and stopped in the middle", {
  skip: withoutPostgres,
}, async () => {
  const server = await PostgresServer.start(careless);
  try {
    const { url, password } = server;
    const configured = await postgresSink.configure({
      "postgres-url": url,
      "postgres-password": password,
    });
    const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
    const state: Stream = { sink, written: [], unavailable: 0, isOver: false };
    const streaming = stream(state);
    for (const end of ["kill", "kill", "stop", "kill"] as const) {
      await waitForMore(state);
      await server[end]();
      const known = state.written.map(timeOf);
      await server.resume();
      const times = new Set(await readTimes(server));
      assert.deepEqual(
        known.filter((time) => !times.has(time)),
        [],
        `written before "${end}", and gone after it`,
      );
    }
    await waitForMore(state);
    state.isOver = true;
    await streaming;
    await sink.close();
    assert.deepEqual(await readTimes(server), state.written.map(timeOf));
    assert.ok(state.unavailable >= 4, "it was away each time");
  } finally {
    await server.end();
  }
});
