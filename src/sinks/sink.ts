/**
 * Where messages go: what a destination promises to the consumer, and how it says that it cannot. A sink neither
 * retries nor spools nor divides a batch: whoever calls it does (`cli/pipeline/`). One `write` is under way at a time.
 */
import { TstackError } from "../base/index.ts";
import type { ConsumedMessage, Reading } from "../readings/index.ts";

/** A message with its readings; without any it is for sinks that take whole messages. */
export interface MappedMessage {
  readonly message: ConsumedMessage;
  readonly readings: readonly Reading[];
}

export interface Sink {
  /**
   * Resolves when the destination has everything, so that a crash of this machine in the next instant loses nothing
   * of it as far as the destination can promise that, with the number of records written. What this kind of
   * destination cannot hold (text in Graphite) is left out and not counted. The same batch may come again, also one
   * of which part was written: where the destination has a key, nothing is doubled by that.
   *
   * @throws SinkUnavailable the destination cannot be reached or is busy: the same batch comes again later
   * @throws SinkRefusal the destination does not want all or some of it, and never will
   */
  write(batch: readonly MappedMessage[]): Promise<number>;
  /** Ends what is open. Nothing is under way. */
  close(): Promise<void>;
}

/** The destination is away, busy, full or has refused the credentials: trying again may help. */
export class SinkUnavailable extends TstackError {
  /** What the destination asked for: no sooner than that. */
  readonly retryAfterSeconds: number | undefined;

  /** @param message what happened, where, what to do; never with a password or token in it */
  constructor(message: string, options?: ErrorOptions & { readonly retryAfterSeconds?: number }) {
    super("SINK_UNAVAILABLE", message, options);
    this.name = "SinkUnavailable";
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** The destination has the rest of the batch, but not these; or none of it, where it did not say which. */
export class SinkRefusal extends TstackError {
  /** Reasons by index in the batch. Undefined: something in the batch is refused, and nobody knows what. */
  readonly refused: ReadonlyMap<number, string> | undefined;

  constructor(
    message: string,
    options?: ErrorOptions & { readonly refused?: ReadonlyMap<number, string> },
  ) {
    super("SINK_REFUSED", message, options);
    this.name = "SinkRefusal";
    this.refused = options?.refused;
  }
}

/** An option of a sink on tconsume's command line. */
export interface SinkOption {
  /** With the sink's name before it: `--graphite-host <name>`; without `<...>` it is a switch. */
  readonly flags: string;
  readonly description: string;
  /** A variable of the environment that says the same; the option wins. Every secret has one, and an option for a file. */
  readonly environment?: string;
}

/** What was said for the options of a sink: by the long name without dashes, `graphite-host`. A switch is "true". */
export type SinkValues = Readonly<Record<string, string | undefined>>;

/** What a sink gets of the world beside its settings. */
export interface SinkWorld {
  readonly stdout: NodeJS.WritableStream;
  /** A line for people: reconnected, table made, file rotated. Not for every batch. */
  say(line: string): void;
}

/** A kind of destination: `index.ts` of each folder exports one. */
export interface SinkKind {
  /** As in `--sink NAME`. */
  readonly name: string;
  /** One line of the help. */
  readonly summary: string;
  readonly options: readonly SinkOption[];
  /**
   * Reads the settings: a mistake is told at once, before anything is consumed.
   * @throws TstackError CONFIGURATION_INVALID with the option's name and what to write
   */
  configure(values: SinkValues): Promise<ConfiguredSink>;
}

export interface ConfiguredSink {
  /** Where it goes, for people, without credentials: `Graphite at localhost:2003`. */
  readonly destination: string;
  /** It takes every message as it came, also one without readings or one that the mapping cannot read. */
  readonly takesMessages?: true;
  /** What the destination would get of this message, as text: `tconsume --explain` and `--dry-run`. No I/O. */
  explain(message: MappedMessage): string;
  /** Does not wait for the destination: `write` says when it is away. */
  open(world: SinkWorld): Promise<Sink>;
}
