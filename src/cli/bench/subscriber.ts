/** One subscriber: counts, measures and checks every message in place, and tells its publisher of the delivery. */
import type { ProgramFailure } from "../client/index.ts";
import { Client, type ClientOwner, type ClientSetting } from "./client.ts";
import type { MarkOrigin, MarkReader } from "./payload-mark.ts";
import type { Publisher, RunContext } from "./publisher.ts";
import type { RunChecks } from "./sequence-check.ts";

export interface Audience extends RunContext {
  readonly marks: MarkReader;
  readonly origin: MarkOrigin;
  /** Of this run; subscribers without any take messages of every run. */
  readonly publishers: readonly Publisher[];
}

export class Subscriber implements ClientOwner {
  readonly client: Client;
  readonly #audience: Audience;
  /** Shared by those who share a subscription. */
  readonly checks: RunChecks;

  constructor(setting: ClientSetting, audience: Audience, checks: RunChecks) {
    this.#audience = audience;
    this.checks = checks;
    this.client = new Client(setting, audience.wire, this);
  }

  message(bytes: Buffer, start: number, end: number, isRetained: boolean): void {
    const { tally, wire, marks, origin, publishers } = this.#audience;
    if (tally.received === 0) tally.firstAt = wire.now;
    tally.received += 1;
    tally.receivedBytes += end - start;
    tally.lastAt = wire.now;
    if (isRetained) tally.retained += 1;
    if (!marks.look(bytes, start, end)) {
      tally.unmarked += 1;
      // Nobody knows whose it is; in sum it comes out right.
      if (publishers.length > 0) this.#credit(publishers[tally.unmarked % publishers.length]);
      return;
    }
    const { run, publisher } = marks;
    if (run === origin.run && publisher < publishers.length) {
      this.checks.own.note(publisher, marks.sequence);
      this.#credit(publishers[publisher]);
    } else if (publishers.length > 0) {
      tally.foreign += 1;
      return;
    } else this.checks.ofOther(run).note(publisher, marks.sequence);
    // The time of a retained message tells how long the broker kept it.
    if (marks.machine === origin.machine && !isRetained) {
      tally.latency.record(wire.now - marks.time);
    }
  }

  #credit(publisher: Publisher): void {
    publisher.delivered += 1;
    if (!publisher.isStopped) publisher.touch();
  }

  acknowledged(): void {
    this.#audience.tally.strangeAcknowledgements += 1;
  }

  lost(client: Client, failure: ProgramFailure): void {
    this.#audience.onLost(client, failure);
  }
}
