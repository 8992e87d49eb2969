/**
 * The QoS 1 and 2 messages on their way to one client, by packet identifier.
 * An identifier is in use from `take` to `release` and never names two messages at once [MQTT-2.2.1-3].
 * Slots are a power of two, at most half of them used, so that an identifier finds its slot by its lowest bits.
 */
import { assert } from "../base/index.ts";
import type { PendingRow } from "./pending-row.ts";
import type { QueuedMessage } from "./queued-message.ts";

export const FlightState = {
  free: 0,
  awaitingPuback: 1,
  awaitingPubrec: 2,
  awaitingPubcomp: 3,
} as const;
export type FlightState = (typeof FlightState)[keyof typeof FlightState];

export interface Flight {
  readonly packetIdentifier: number;
  readonly state: FlightState;
  readonly queued: QueuedMessage | undefined;
  /** Of a PUBREL that is stored. */
  readonly pubrel: PendingRow | undefined;
}

const slotsAtFirst = 16;
/** An empty window that has grown beyond it gives its memory back. */
const slotsKept = 2048;
const packetIdentifierMax = 65_535;

export class InFlightWindow {
  /** Messages under way. */
  count = 0;
  /** Of those that must be sent again after a reconnect: topic, properties and payload. */
  bytes = 0;
  #next = 1;
  #mask = slotsAtFirst - 1;
  #states = new Uint8Array(slotsAtFirst);
  #identifiers = new Uint16Array(slotsAtFirst);
  /** When each was sent, or its PUBREC came: identifiers go round, so they do not tell. */
  #serials = new Float64Array(slotsAtFirst);
  #nextSerial = 0;
  /** What must be sent again after a reconnect; undefined for sessions that end with their connection. */
  #queued: (QueuedMessage | undefined)[] = new Array(slotsAtFirst).fill(undefined);
  /** The stored PUBRELs, by identifier: few have one. */
  #pubrels: Map<number, PendingRow> | undefined;

  /** Uses the next free packet identifier, from 1 on in turn [MQTT-2.2.1-4], 3.1.1: [MQTT-2.3.1-4]. */
  take(state: FlightState, queued: QueuedMessage | undefined): number {
    assert(this.count < packetIdentifierMax, "a packet identifier is free");
    if (this.count * 2 >= this.#states.length) this.#resize(this.#states.length * 2);
    let identifier = this.#next;
    while (this.#states[identifier & this.#mask] !== FlightState.free)
      identifier = following(identifier);
    this.#next = following(identifier);
    const slot = identifier & this.#mask;
    this.#states[slot] = state;
    this.#identifiers[slot] = identifier;
    this.#serials[slot] = this.#nextSerial++;
    this.#queued[slot] = queued;
    if (queued !== undefined) this.bytes += queued.message.size;
    this.count++;
    return identifier;
  }

  stateOf(identifier: number): FlightState {
    const slot = identifier & this.#mask;
    return this.#identifiers[slot] === identifier
      ? (this.#states[slot] as FlightState)
      : FlightState.free;
  }

  /** The client has PUBREC'd: from now on only PUBREL may be sent again [MQTT-4.3.3-6], 3.1.1: [MQTT-4.3.3-1]. */
  awaitPubcomp(identifier: number, pubrel?: PendingRow): void {
    const slot = identifier & this.#mask;
    assert(this.stateOf(identifier) !== FlightState.free, "awaitPubcomp names a message under way");
    this.#states[slot] = FlightState.awaitingPubcomp;
    this.#serials[slot] = this.#nextSerial++; // [MQTT-4.6.0-4] PUBREL in the order of PUBREC, 3.1.1: [MQTT-4.6.0-4]
    this.#forgetMessage(slot);
    if (pubrel === undefined) return;
    this.#pubrels ??= new Map();
    this.#pubrels.set(identifier, pubrel);
  }

  /** Where the message or the PUBREL with this identifier is stored. */
  rowOf(identifier: number): PendingRow | undefined {
    return this.#queued[identifier & this.#mask]?.row ?? this.#pubrels?.get(identifier);
  }

  /** What was under way before a restart, in order; the next identifier follows the last message. */
  restore({ packetIdentifier, state, queued, pubrel }: Flight): void {
    // `take` would pass over an identifier whose slot another one has: in a larger window each has its own.
    while (this.#states[packetIdentifier & this.#mask] !== FlightState.free)
      this.#resize(this.#states.length * 2);
    this.#next = packetIdentifier;
    this.take(state, queued);
    if (state === FlightState.awaitingPubcomp) this.awaitPubcomp(packetIdentifier, pubrel);
  }

  release(identifier: number): void {
    const slot = identifier & this.#mask;
    assert(this.stateOf(identifier) !== FlightState.free, "release names a message under way");
    this.#states[slot] = FlightState.free;
    this.#forgetMessage(slot);
    this.#pubrels?.delete(identifier);
    this.count--;
    if (this.count === 0 && this.#states.length > slotsKept) this.#resize(slotsAtFirst);
  }

  #forgetMessage(slot: number): void {
    const queued = this.#queued[slot];
    if (queued === undefined) return;
    this.bytes -= queued.message.size;
    this.#queued[slot] = undefined;
  }

  /** What is under way, in the order in which it was first sent, PUBREL in that of PUBREC [MQTT-4.6.0-1], 3.1.1: [MQTT-4.6.0-1]. */
  inOrder(): Flight[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++) {
      if (this.#states[slot] !== FlightState.free) slots.push(slot);
    }
    slots.sort((a, b) => this.#serials[a] - this.#serials[b]);
    return slots.map((slot) => ({
      packetIdentifier: this.#identifiers[slot],
      state: this.#states[slot] as FlightState,
      queued: this.#queued[slot],
      pubrel: this.#pubrels?.get(this.#identifiers[slot]),
    }));
  }

  #resize(slots: number): void {
    const flights = this.inOrder();
    assert(slots <= 131_072, "the window stays within the packet identifiers");
    this.#mask = slots - 1;
    this.#states = new Uint8Array(slots);
    this.#identifiers = new Uint16Array(slots);
    this.#serials = new Float64Array(slots);
    this.#nextSerial = 0;
    this.#queued = new Array(slots).fill(undefined);
    for (const { packetIdentifier, state, queued } of flights) {
      const slot = packetIdentifier & this.#mask;
      this.#states[slot] = state;
      this.#identifiers[slot] = packetIdentifier;
      this.#serials[slot] = this.#nextSerial++;
      this.#queued[slot] = queued;
    }
  }
}

function following(identifier: number): number {
  return identifier === packetIdentifierMax ? 1 : identifier + 1;
}
