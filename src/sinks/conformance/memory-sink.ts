/** A destination in memory, for the test of the suite itself: as it should be, and with one fault. */
import type { FieldValue } from "../../readings/index.ts";
import { type MappedMessage, type Sink, SinkUnavailable } from "../sink.ts";
import type { SinkUnderTest, StoredValue } from "./sink-under-test.ts";

/** What a value is written under, before a fault changes it. */
interface Entry extends StoredValue {
  /** Series, field and time: the same entry written twice is one. */
  readonly key: string;
  readonly message: MappedMessage;
}

export interface MemoryFault {
  /** What is stored for an entry: by default itself. */
  readonly store?: (entry: Entry) => readonly Entry[];
  /** Before anything is stored of a batch. */
  readonly accept?: (batch: readonly MappedMessage[], rows: Map<string, StoredValue>) => void;
  readonly count?: (records: number) => number;
  /** Says nothing of an outage, and forgets what came meanwhile. */
  readonly hidesOutage?: boolean;
  readonly forgetsAtOutage?: boolean;
  readonly forgetsAtOpen?: boolean;
  readonly waitsAtOpen?: boolean;
  readonly failsAtClose?: boolean;
  readonly leavesMark?: boolean;
  readonly explain?: (message: MappedMessage, write: (message: MappedMessage) => void) => string;
}

export function openMemorySink(fault: MemoryFault = {}): SinkUnderTest {
  const rows = new Map<string, StoredValue>();
  const state = { isAway: false };
  const write = (batch: readonly MappedMessage[]): number => {
    fault.accept?.(batch, rows);
    const entries = batch.flatMap(entriesOf);
    for (const entry of entries.flatMap((one) => fault.store?.(one) ?? [one])) {
      const { key, message: _, ...value } = entry;
      rows.set(key, value);
    }
    return fault.count?.(entries.length) ?? entries.length;
  };
  const sink: Sink = {
    async write(batch) {
      if (!state.isAway) return write(batch);
      if (fault.hidesOutage === true) return batch.length;
      throw new SinkUnavailable("the memory is away");
    },
    async close() {
      if (state.isAway && fault.failsAtClose === true) throw new Error("away");
      if (fault.leavesMark === true) rows.set("mark", { series: "", field: "", time: 0, value: 0 });
    },
  };
  return {
    sink: {
      destination: "memory",
      explain: (message) =>
        fault.explain?.(message, (one) => write([one])) ??
        JSON.stringify(entriesOf(message).map(({ key, value }) => [key, value])),
      async open() {
        if (fault.forgetsAtOpen === true) rows.clear();
        if (state.isAway && fault.waitsAtOpen === true) throw new Error("away");
        return sink;
      },
    },
    readBack: async () => [...rows.values()],
    async interrupt() {
      state.isAway = true;
      if (fault.forgetsAtOutage === true) rows.clear();
    },
    async resume() {
      state.isAway = false;
    },
    end: async () => undefined,
  };
}

function entriesOf(message: MappedMessage): readonly Entry[] {
  return message.readings.flatMap(({ series, time, fields }) => {
    const name = JSON.stringify([series.name, ...series.tags]);
    return Array.from(fields, ([field, value]: [string, FieldValue]) => ({
      key: JSON.stringify([name, field, time]),
      series: name,
      field,
      time,
      value,
      message,
    }));
  });
}
