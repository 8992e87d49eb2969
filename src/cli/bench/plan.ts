/**
 * What one run of tbench is to do, out of its command line: how many clients of which kind, on which
 * topics, how fast, and when it ends. Nothing in it changes.
 */
import type { ConnectionOptions } from "../client/index.ts";

export type BenchCommand = "conn" | "pub" | "sub" | "latency" | "fan";

export interface Plan {
  readonly command: BenchCommand;
  readonly connection: ConnectionOptions;
  /** Connections leave from these in turn; empty leaves the choice to the system. */
  readonly localAddresses: readonly string[];
  /** Clients that only connect. */
  readonly idleCount: number;
  readonly publisherCount: number;
  readonly subscriberCount: number;
  /** With `%i` and `%c`, like the filters. */
  readonly topic: string;
  readonly filters: readonly string[];
  /** The filters are of a shared subscription: each message goes to one of its subscribers. */
  readonly isShared: boolean;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payloadBytes: number;
  /** New connections a second; undefined opens them as fast as they are answered. */
  readonly rampPerSecond?: number;
  readonly holdSeconds: number;
  /** Messages of a publisher under way at most: not acknowledged, or in a closed loop not delivered. */
  readonly inFlightMax: number;
  /** Publishers wait until what they sent has been received. */
  readonly isClosedLoop: boolean;
  /** Messages a second for each publisher; undefined is as fast as it goes. */
  readonly ratePerSecond?: number;
  /** For each publisher. */
  readonly messagesMax?: number;
  /** For all subscribers together. */
  readonly receivedMax?: number;
  readonly seconds?: number;
  readonly json: boolean;
}

/** `%i` is the number of the client, `%c` its client identifier. */
export function expandTopic(text: string, number: number | string, identifier: string): string {
  return text.replaceAll(/%[ic]/g, (letter) => (letter === "%i" ? String(number) : identifier));
}

/** A client's identifier: where `%i` does not say where its number goes, it goes to the end. */
export function expandIdentifier(text: string, number: string): string {
  return text.includes("%i") ? text.replaceAll("%i", number) : `${text}-${number}`;
}
