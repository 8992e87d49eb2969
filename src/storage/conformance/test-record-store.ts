/**
 * What every record store must do, as tests of node:test, beside the suite of storage engines. Each check has a store of
 * its own, and looks at it twice: as it runs, and after it was closed and opened again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordChange, RecordStore, StoredRecord } from "../../broker/ports.ts";
import { difficultTexts } from "./records.ts";

/** What somebody brings who tests a record store. */
export interface RecordsUnderTest {
  /** Opened, and empty. */
  readonly records: RecordStore;
  /** Closes the store and opens it again on the same data. One that outlives nothing answers itself. */
  reopen(): Promise<RecordStore>;
  /** Closes the store and takes away what it has written. */
  end(): Promise<void>;
}

class RecordTrial {
  readonly #underTest: RecordsUnderTest;
  #records: RecordStore;

  constructor(underTest: RecordsUnderTest) {
    this.#underTest = underTest;
    this.#records = underTest.records;
  }

  write(...changes: readonly RecordChange[]): Promise<void> {
    return this.#records.writeRecords(changes);
  }

  /** Without regard to their order, of which the port says nothing. */
  async expect(...records: readonly StoredRecord[]): Promise<void> {
    assert.deepEqual(sorted(await this.#records.readRecords()), sorted(records));
    this.#records = await this.#underTest.reopen();
    assert.deepEqual(sorted(await this.#records.readRecords()), sorted(records), "opened again");
  }
}

function sorted(records: readonly StoredRecord[]): readonly StoredRecord[] {
  const keyed = records.map((record) => [JSON.stringify(record), { ...record }] as const);
  return keyed.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
}

function user(name: string, value = "{}"): StoredRecord {
  return { kind: "user", name, value };
}

function without({ kind, name }: StoredRecord): RecordChange {
  return { kind, name, value: undefined };
}

/** Names that are one only to a store that is not careful. */
const difficultNames = ["", "%", "_", "a/b", "a/", "a\0b", "a\0c", "\0", "null", ...difficultTexts];

const checks: Readonly<Record<string, (trial: RecordTrial) => Promise<void>>> = {
  "a store begins empty, and writing nothing changes nothing": async (trial) => {
    await trial.expect();
    await trial.write();
    await trial.expect();
  },

  "a record is kept, replaced and taken away by its kind and name": async (trial) => {
    const role = { kind: "role", name: "ada", value: "[]" };
    await trial.write(user("ada", "1"), user("bob", "2"), role);
    await trial.expect(user("ada", "1"), user("bob", "2"), role);
    await trial.write(user("ada", "3"));
    await trial.expect(user("ada", "3"), user("bob", "2"), role);
    await trial.write(without(user("ada")));
    await trial.expect(user("bob", "2"), role);
    await trial.write(user("ada", "4"));
    await trial.expect(user("ada", "4"), user("bob", "2"), role);
  },

  "what is not there can be taken away": async (trial) => {
    await trial.write(without(user("nobody")), user("ada"), without({ ...user("ada"), kind: "x" }));
    await trial.expect(user("ada"));
  },

  "changes of one write take effect in their order": async (trial) => {
    await trial.write(user("ada", "1"), without(user("ada")), user("ada", "2"));
    await trial.write(user("bob", "1"), user("bob", "2"), without(user("bob")));
    await trial.expect(user("ada", "2"));
  },

  "writes that are asked for at once take effect in their order, and each is whole": async (
    trial,
  ) => {
    const writes = Array.from({ length: 50 }, (_, index) =>
      trial.write(user("ada", `${index}`), user(`user ${index}`, `${index}`)),
    );
    await Promise.all(writes);
    const all = writes.map((_, index) => user(`user ${index}`, `${index}`));
    await trial.expect(user("ada", "49"), ...all);
  },

  "names and kinds are kept as they are, and each is another": async (trial) => {
    const all = difficultNames.flatMap((text) => [
      user(text, JSON.stringify(text)),
      { kind: text, name: "x", value: JSON.stringify(text) },
      { kind: text, name: text, value: text },
    ]);
    await trial.write(...all);
    await trial.expect(...all);
    for (const name of difficultNames) await trial.write(without(user(name)));
    await trial.expect(...all.filter(({ kind }) => kind !== "user"));
  },

  "a value is kept as it is, however long": async (trial) => {
    const all = [user("none", ""), user("long", `"${"é".repeat(1_000_000)}"`)];
    await trial.write(...all);
    await trial.expect(...all);
  },

  "10,000 records in one write, and each in a write of its own taken away": async (trial) => {
    const all = Array.from({ length: 10_000 }, (_, index) =>
      user(`user ${index}`, `{"a":${index}}`),
    );
    await trial.write(...all);
    await trial.expect(...all);
    const [some, rest] = [all.slice(0, 100), all.slice(100)];
    await Promise.all(some.map((record) => trial.write(without(record))));
    await trial.expect(...rest);
  },
};

/** Registers one test for each check. `open` answers a new, empty store. */
export function testRecordStore(name: string, open: () => Promise<RecordsUnderTest>): void {
  for (const [title, check] of Object.entries(checks)) {
    test(`${name}: ${title}`, async () => {
      const underTest = await open();
      try {
        await check(new RecordTrial(underTest));
      } finally {
        await underTest.end();
      }
    });
  }
}
