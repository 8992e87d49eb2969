/** What the pipeline needs of the program, the limits it keeps, and what it counts. Every limit is finite. */
import type { Mapping } from "../../readings/index.ts";
import type { Sink } from "../../sinks/index.ts";
import type { ProgramFailure, Talk } from "../client/index.ts";

export interface PipelineSink {
  /** As in `--sink NAME`. Its spool is called after it. */
  readonly name: string;
  /** Where it goes, for people: `Graphite at localhost:2003`. */
  readonly destination: string;
  /** The mapping does not concern it: it gets every message. */
  readonly takesMessages?: boolean;
  readonly sink: Sink;
}

export interface PipelineOptions {
  readonly mapping: Mapping;
  /** At least one, each with a name of its own. The pipeline closes them. */
  readonly sinks: readonly PipelineSink[];
  /** The consumer's own folder, locked by the caller: for spools and dead letters. */
  readonly folder: string;
  readonly limits: PipelineLimits;
  readonly talk: Talk;
  /** From 0 up to 1: spreads the attempts of programs that failed together. */
  chance(): number;
  /** Every message up to this one is where it must be: it may be acknowledged. At most once a tick, only ever higher. */
  safe(sequence: number): void;
  /** `hasRoom` is true again. */
  room(): void;
  /** A bug, here or in a sink: nothing more is written or safe. */
  failed(failure: ProgramFailure): void;
}

export interface PipelineLimits {
  /** Of one write to a sink. */
  readonly batchMessagesMax: number;
  /** Of one write, as `pendingBytesMax` counts them; a longer message is written by itself. */
  readonly batchBytesMax: number;
  /**
   * How long the first message of a batch may wait for more while nothing is written: 0 writes as soon as the sink is
   * free. Batches grow by themselves under load. A broker that sends few messages ahead (mosquitto 20) waits as long.
   */
  readonly batchMilliseconds: number;
  /** Messages in memory that are not safe yet: beyond, `hasRoom` is false until half of it is done. */
  readonly pendingMessagesMax: number;
  /** The same in bytes, with what a message and its readings cost beside payload and topic. */
  readonly pendingBytesMax: number;
  /** The wait after a first failure; it doubles, up to the longest. */
  readonly retryMillisecondsMin: number;
  readonly retryMillisecondsMax: number;
  /** A sink that has taken nothing for so long gets a spool on the disk. */
  readonly spoolAfterSeconds: number;
  /** Of one sink's spool, with what a message costs beside its payload and topic. */
  readonly spoolBytesMax: number;
  /** Of one file of dead letters; then the next is begun. */
  readonly deadLetterBytesMax: number;
  /** Files of dead letters; beyond, the oldest is deleted. */
  readonly deadLetterFilesMax: number;
  /** How long `close` waits for writes that are under way. */
  readonly closeSecondsMax: number;
}

const mebibyte = 1_048_576;

export const defaultPipelineLimits: PipelineLimits = {
  batchMessagesMax: 5000,
  batchBytesMax: 4 * mebibyte,
  // A broker sends only so far ahead (tserve 1,024): 10 ms for each such stretch halve what SQLite takes in a second.
  batchMilliseconds: 0,
  pendingMessagesMax: 50_000,
  pendingBytesMax: 64 * mebibyte,
  retryMillisecondsMin: 250,
  retryMillisecondsMax: 30_000,
  spoolAfterSeconds: 10,
  spoolBytesMax: 1024 * mebibyte,
  deadLetterBytesMax: 16 * mebibyte,
  deadLetterFilesMax: 8,
  closeSecondsMax: 5,
};

/** `full`: the spool has no room or cannot be written; what comes waits in memory. */
export type SinkState = "flowing" | "retrying" | "spooling" | "full";

export interface SinkCounts {
  readonly name: string;
  readonly destination: string;
  readonly state: SinkState;
  /** Messages that the destination has. */
  readonly messages: number;
  /** What it made of them, by its own count. */
  readonly records: number;
  readonly batches: number;
  /** Attempts that failed because the destination was unavailable. */
  readonly retries: number;
  /** Messages that it did not want: they are dead letters. */
  readonly refused: number;
  /** What lies in its spool now. */
  readonly spooledMessages: number;
  readonly spooledBytes: number;
  /** What went wrong last; undefined when all is well. */
  readonly lastError: string | undefined;
}

export interface PipelineCounts {
  /** Messages that were taken. */
  readonly messages: number;
  /** Of these: no readings came of them. They go only to sinks that take whole messages. */
  readonly dropped: number;
  /** Of these: the mapping could not read them. They are dead letters where a sink takes readings. */
  readonly unreadable: number;
  /** In memory and not safe yet. */
  readonly pendingMessages: number;
  readonly pendingBytes: number;
  readonly sinks: readonly SinkCounts[];
}
