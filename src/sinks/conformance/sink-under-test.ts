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
  /** What the sink is given as stdout; what it writes there is thrown away where there is none. */
  readonly stdout?: NodeJS.WritableStream;
  /** Everything that the destination holds once it has settled, in any order. */
  readBack(): Promise<readonly StoredValue[]>;
  /** Cuts the destination off: it is killed, or its file cannot be written. Undefined where that cannot be. */
  readonly interrupt?: () => Promise<void>;
  /** Brings it back with what it had. */
  readonly resume?: () => Promise<void>;
  end(): Promise<void>;
}

export interface SinkTraits {
  /** Microseconds between two times that it can tell apart: 1_000_000 for Graphite; Infinity where it keeps none. */
  readonly timeStep: number;
  /** Otherwise text is left out. */
  readonly keepsText: boolean;
  /** Otherwise they are the numbers 0 and 1. */
  readonly keepsBooleans: boolean;
  /** How far a number may come back from what was written, relative to it. Exactly the same where nothing is said. */
  readonly relativeError?: number;
  /** Whether a batch written twice is there once. */
  readonly hasKey: boolean;
}
