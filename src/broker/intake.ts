/**
 * Holds back one client by not reading its socket: when it sends more than messagesPerSecondMax or bytesPerSecondMax, and
 * between two looks at the memory while that is short. Nothing is lost by it; TCP tells the client.
 * Made for a connection when it is first needed: few ever do.
 */
import type { Limits } from "../base/index.ts";
import { Allowance } from "./allowance.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Deadline } from "./deadlines.ts";
import type { Waiting } from "./memory-watch.ts";

/** Whose intake it is. */
export interface IntakeOwner {
  readonly name: string;
  readonly limits: Pick<Limits, "messagesPerSecondMax" | "bytesPerSecondMax">;
  /** It may be read again, as far as the intake is concerned. */
  resumeIfFree(): void;
}

/**
 * Asked once for each chunk, and false for most clients for ever: who never sent more in all than it may send in a
 * second has not sent it too fast.
 */
export function needsIntake(
  { broker, limits, packetsReceived, bytesReceived }: Connection,
  isPublisher: boolean,
): boolean {
  return (
    packetsReceived > limits.messagesPerSecondMax ||
    bytesReceived > limits.bytesPerSecondMax ||
    (broker.memory.isShort && isPublisher)
  );
}

export class Intake implements Waiting {
  /** Too much came: until the deadline. */
  #isOverdrawn = false;
  /** Memory is short: until the next look at it. */
  #awaitsLook = false;
  readonly #owner: IntakeOwner;
  readonly #broker: Broker;
  readonly #messages: Allowance;
  readonly #bytes: Allowance;
  readonly #deadline: Deadline = { at: 0, due: () => this.#paidBack(), place: -1 };

  constructor(owner: IntakeOwner, broker: Broker) {
    this.#owner = owner;
    this.#broker = broker;
    const now = broker.clock.now();
    const { messagesPerSecondMax, bytesPerSecondMax } = owner.limits;
    this.#messages = new Allowance(messagesPerSecondMax, 1, now);
    this.#bytes = new Allowance(bytesPerSecondMax, 1, now);
  }

  get isHolding(): boolean {
    return this.#isOverdrawn || this.#awaitsLook;
  }

  /** One chunk has been read and handled. */
  took(messages: number, bytes: number): void {
    const { memory } = this.#broker;
    if (memory.isShort) {
      this.#awaitsLook = true;
      memory.waitForLook(this);
    }
    this.#messages.left -= messages;
    this.#bytes.left -= bytes;
    if (this.#messages.left >= 0 && this.#bytes.left >= 0) return;
    const now = this.#broker.clock.now();
    const forMessages = this.#messages.waitMilliseconds(now);
    const forBytes = this.#bytes.waitMilliseconds(now);
    const wait = Math.max(forMessages, forBytes);
    if (wait === 0) return;
    if (!this.#isOverdrawn) {
      const limit = forMessages >= forBytes ? "messagesPerSecondMax" : "bytesPerSecondMax";
      this.#broker.limitHits.count(limit, { client: this.#owner.name });
    }
    this.#isOverdrawn = true;
    this.#broker.deadlines.move(this.#deadline, now + wait);
  }

  looked(): void {
    this.#awaitsLook = false;
    if (!this.isHolding) this.#owner.resumeIfFree();
  }

  #paidBack(): void {
    this.#isOverdrawn = false;
    if (!this.isHolding) this.#owner.resumeIfFree();
  }

  /** The connection is over. */
  end(): void {
    this.#broker.deadlines.cancel(this.#deadline);
    this.#broker.memory.forget(this);
  }
}
