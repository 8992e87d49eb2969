/** The conformance suite of sinks against a real PostgreSQL, which is killed with all its processes and started again. */
import { after, before, test } from "node:test";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { postgresSink } from "../../src/sinks/postgres/index.ts";
import { PostgresServer, withoutPostgres } from "./postgres-server.ts";
import { readBack } from "./postgres-values.ts";

let server: PostgresServer;
let tables = 0;

before(async () => {
  if (!withoutPostgres) server = await PostgresServer.start();
});
after(() => server?.end());

async function open() {
  const { url, password, sql } = server;
  tables += 1;
  const table = `readings_${tables}`;
  return {
    sink: await postgresSink.configure({
      "postgres-url": url,
      "postgres-password": password,
      "postgres-table": table,
    }),
    readBack: () => readBack(sql, table),
    interrupt: () => server.kill(),
    resume: () => server.resume(),
    end: async () => undefined,
  };
}

if (withoutPostgres) test("postgres", { skip: withoutPostgres });
else {
  testSink("postgres", { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: true }, open);
}
