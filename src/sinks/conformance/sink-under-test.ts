/** What the conformance suite needs to know of a sink beside the port. */
import type { FieldValue } from "../../readings/index.ts";
import type { ConfiguredSink } from "../sink.ts";

/** One value as it was read back from the destination. */
export interface StoredValue {
  /** As the destination names it. */
  readonly series: string;
  readonly field: string;
  /** Microseconds since 1970, as exact as the destination is. */
  readonly time: number;
  readonly value: FieldValue;
}

export interface SinkUnderTest {
  readonly sink: ConfiguredSink;
  /** Everything that the destination holds, in any order. */
  readBack(): Promise<readonly StoredValue[]>;
  /** Cuts the destination off: it is killed, or its file cannot be written. Undefined where that cannot be. */
  readonly interrupt?: () => Promise<void>;
  /** Brings it back with what it had. */
  readonly resume?: () => Promise<void>;
  end(): Promise<void>;
}

export interface SinkTraits {
  /** Microseconds between two times that it can tell apart: 1_000_000 for Graphite. */
  readonly timeStep: number;
  readonly keepsText: boolean;
  readonly keepsBooleans: boolean;
  /** Whether a batch written twice is there once. */
  readonly hasKey: boolean;
}
