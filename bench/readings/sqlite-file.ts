/** A file as the sink makes it, with all series and without readings. */
import { DatabaseSync } from "node:sqlite";
import { createForm } from "../../src/sinks/sqlite/schema.ts";
import { readings } from "../scenarios.ts";
import { topicAt } from "./messages.ts";

export function createReadingsFile(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  // As src/sinks/sqlite/readings-writer.ts has them.
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma cache_size = -32768;
    pragma wal_autocheckpoint = 4000;
    begin;`);
  createForm(database, file);
  const add = database.prepare(
    "insert into series (id, topic, name, field, tags, type) values (?, ?, ?, 'value', '', 'number')",
  );
  for (let index = 0; index < readings.topics; index++) {
    add.run(index + 1, topicAt(index), topicAt(index));
  }
  database.exec("commit");
  return database;
}
