/**
 * Opens the clients of a run: the first alone, so that a wrong address or password is told once and at
 * once; then the others, at a rate or as many at a time as brokers let wait to be accepted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnackPacket } from "../../codec/index.ts";
import type { ProgramFailure } from "../client/index.ts";
import type { AddressBook } from "./address-book.ts";
import type { Client } from "./client.ts";

export interface RampHooks {
  opened(client: Client, connack: ConnackPacket): void;
  /** Never for the first client, whose failure `openAll` throws. */
  failed(failure: ProgramFailure): void;
}

export interface RampOptions {
  /** Undefined is as fast as they are answered. */
  readonly perSecond: number | undefined;
  /** Opens no more. */
  readonly signal: AbortSignal;
}

/** Within the backlog of every broker (mosquitto's is 100): what is beyond waits a second for its next SYN. */
const atOnceMax = 64;

/** Resolves when all are open or have failed. @throws {ProgramFailure} of the first client */
export async function openAll(
  clients: readonly Client[],
  book: AddressBook,
  hooks: RampHooks,
  { perSecond, signal }: RampOptions,
): Promise<void> {
  const begin = performance.now();
  const [first, ...others] = clients;
  hooks.opened(first, await first.open(book));
  const open = async (client: Client): Promise<void> => {
    try {
      hooks.opened(client, await client.open(book));
    } catch (error) {
      hooks.failed(error as ProgramFailure);
    }
  };
  if (perSecond === undefined) {
    const queue = others.values();
    const worker = async (): Promise<void> => {
      for (const client of queue) {
        if (signal.aborted) return;
        await open(client);
      }
    };
    await Promise.all(Array.from({ length: atOnceMax }, worker));
    return;
  }
  const opening: Promise<void>[] = [];
  for (const [index, client] of others.entries()) {
    const wait = begin + ((index + 1) / perSecond) * 1000 - performance.now();
    if (wait > 1) await sleep(wait);
    if (signal.aborted) break;
    opening.push(open(client));
  }
  await Promise.all(opening);
}
