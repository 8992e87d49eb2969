/** What happened in a world, line by line, and what was wrong with it: the first fault counts, others may follow from it. */
import { createHash } from "node:crypto";
import type { Timeline } from "./timeline.ts";

export class Fault extends Error {}

export class History {
  readonly lines: string[] = [];
  fault: string | undefined;
  /** Counts what is said and heard: a moment between two events of the world. */
  moment = 0;
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  record(line: string): void {
    const seconds = (this.#timeline.now - this.#timeline.start) / 1000;
    this.lines.push(
      `${String(this.moment).padStart(5)} ${seconds.toFixed(3).padStart(10)}  ${line}`,
    );
  }

  report(fault: string): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.record(`FAULT ${fault}`);
  }

  expect(holds: boolean, fault: () => string): void {
    if (!holds) this.report(fault());
  }

  get hash(): string {
    return createHash("sha256").update(this.lines.join("\n")).digest("hex");
  }
}
