/**
 * Brings a message to everyone on its route: encoded once for each variant, shared by all who get the same bytes.
 * Frames that suit as they came are not even looked at one by one: a whole range of them is appended.
 * What is published during a delivery, by a handler of the embedding program or a will, follows when that is done:
 * all subscribers see the same order [MQTT-4.6.0-5] [MQTT-4.6.0-6], 3.1.1: [MQTT-4.6.0-5] [MQTT-4.6.0-6], and what is
 * used again for each message is never in use twice.
 */
import {
  type LocatedFrame,
  locateFrame,
  newPublishPropertyOffsets,
  type PublishHeader,
  type PublishVariant,
  scanPublish,
} from "../codec/index.ts";
import { toApplicationMessage } from "./application-message.ts";
import { Message } from "./message.ts";
import { lowerQos, newVariant, PublishEncoder } from "./publish-encoder.ts";
import type { PublishRange } from "./publish-range.ts";
import { type DeliveryGroup, Reach, type Route, type Routes, type Target } from "./routes.ts";
import type { Session } from "./session.ts";

/** A message that causes one that causes one and so on: beyond this it is a circle. */
const depthMax = 1000;
/** And so it is when one message causes more than these in all. */
const waitingMax = 100_000;

export class Delivery {
  /** The variant being delivered: `Session.deliver` reads it. */
  readonly variant: PublishVariant = newVariant();
  readonly #encoder = new PublishEncoder();
  readonly #routes: Routes;
  readonly #fromRange = new Message();
  readonly #header: PublishHeader = newPublishHeader();
  readonly #frame: LocatedFrame = { bytes: Buffer.alloc(0), start: 0, bodyStart: 0, end: 0 };

  #isBusy = false;
  /** How many messages stand between the one being delivered and the one that came from outside. */
  #depth = 0;
  /** What was published during a delivery. */
  #waiting: { readonly depth: number; readonly deliver: () => void }[] = [];

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Whether what is delivered now is put off until something else has been delivered. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** One message to everyone on `route`, which is current. */
  deliver(route: Route, message: Message): void {
    if (this.#isBusy) {
      const kept = message.keep();
      this.#putOff(() => this.#deliver(this.#routes.current(route), kept));
      return;
    }
    this.#isBusy = true;
    try {
      this.#deliver(route, message);
    } finally {
      this.#endDelivery();
    }
  }

  /** Consecutive frames of one publisher and topic. */
  forward(route: Route, range: PublishRange): void {
    if (this.#isBusy) {
      const bytes = Buffer.from(range.bytes.subarray(range.start, range.end));
      const kept = { ...range, bytes, start: 0, end: bytes.length };
      this.#putOff(() => this.#forward(this.#routes.current(route), kept));
      return;
    }
    this.#isBusy = true;
    try {
      this.#forward(route, range);
    } finally {
      this.#endDelivery();
    }
  }

  #putOff(deliver: () => void): void {
    const depth = this.#depth + 1;
    if (depth > depthMax || this.#waiting.length >= waitingMax) {
      throw new Error("a handler answers its own messages in a circle");
    }
    this.#waiting.push({ depth, deliver });
  }

  #endDelivery(): void {
    try {
      // The list grows while it is walked.
      for (let next = 0; next < this.#waiting.length; next++) {
        this.#depth = this.#waiting[next].depth;
        this.#waiting[next].deliver();
      }
    } finally {
      if (this.#waiting.length > 0) this.#waiting = [];
      this.#depth = 0;
      this.#isBusy = false;
    }
  }

  #deliver(route: Route, message: Message): void {
    for (const group of route.groups) this.#deliverToGroup(group, message);
    this.#deliverToOthers(route, message);
  }

  #forward(route: Route, range: PublishRange): void {
    let needsMessages = route.shared.length > 0 || route.locals.length > 0;
    for (const group of route.groups) {
      if (takesRange(group, range)) this.#forwardToGroup(group, range);
      else needsMessages = true;
    }
    if (needsMessages) this.#forwardOneByOne(route, range);
  }

  #deliverToGroup(group: DeliveryGroup, message: Message): void {
    const { variant } = this;
    variant.isV5 = group.isV5;
    variant.qos = lowerQos(message.qos, group.qos); // [MQTT-3.8.4-8], 3.1.1: [MQTT-3.8.4-6]
    // The publisher's RETAIN only where the subscriber asked for it [MQTT-3.3.1-12] [MQTT-3.3.1-13], 3.1.1: [MQTT-3.3.1-9]
    variant.retain = message.retain && group.retainAsPublished;
    variant.identifiers = group.isV5 ? group.identifiers : noIdentifiers;
    const encoded = this.#encoder.encode(message, variant);
    for (const target of group.targets) {
      if (target.reach === Reach.everyone || reaches(target, message.publisher)) {
        target.session.deliver(message, encoded);
      }
    }
  }

  #deliverToOthers(route: Route, message: Message): void {
    for (const shared of route.shared) shared.deliver(message);
    if (route.locals.length === 0) return;
    for (const local of route.locals) local.handler(toApplicationMessage(message));
  }

  #forwardToGroup(group: DeliveryGroup, range: PublishRange): void {
    const { bytes, start, end, count } = range;
    let others: Session[] | undefined;
    for (const target of group.targets) {
      if (target.reach !== Reach.everyone && !reaches(target, range.publisher)) continue;
      if (range.qos === 1) {
        if (target.session.takeRange(range)) continue;
        others ??= [];
        others.push(target.session);
        continue;
      }
      const { connection, needsEachMessage } = target.session;
      if (connection === undefined) continue;
      const { dropReason } = connection;
      if (
        needsEachMessage ||
        !connection.takesRanges ||
        range.frameBytesMax > connection.maximumPacketSize
      ) {
        others ??= [];
        others.push(target.session);
      } else if (dropReason !== undefined) {
        target.session.drops.count(dropReason, count, range.topic);
      } else {
        connection.outbox.append(bytes, start, end);
        connection.countPublishes(count, end - start);
      }
    }
    if (others !== undefined) this.#forwardToOthers(others, range);
  }

  /**
   * For those of a group that cannot have the range as it stands: message by message, each to all of them, as what
   * they keep of one is one copy.
   */
  #forwardToOthers(sessions: readonly Session[], range: PublishRange): void {
    const { variant } = this;
    this.#eachMessage(range, (message) => {
      variant.isV5 = range.isV5;
      variant.qos = range.qos;
      variant.retain = false;
      variant.identifiers = noIdentifiers;
      const encoded = this.#encoder.encode(message, variant);
      for (const session of sessions) session.deliver(message, encoded);
    });
  }

  #forwardOneByOne(route: Route, range: PublishRange): void {
    this.#eachMessage(range, (message) => {
      for (const group of route.groups) {
        if (!takesRange(group, range)) this.#deliverToGroup(group, message);
      }
      this.#deliverToOthers(route, message);
    });
  }

  #eachMessage(range: PublishRange, visit: (message: Message) => void): void {
    const frame = this.#frame;
    const message = this.#fromRange;
    frame.bytes = range.bytes;
    for (let start = range.start; start < range.end; start = frame.end) {
      locateFrame(frame, start);
      message.reset(range.topic, range.publisher);
      scanPublish(frame, range.isV5, message, this.#header);
      message.qos = range.qos;
      message.retain = false;
      message.frameIsV5 = range.isV5;
      message.frameStart = start;
      message.frameEnd = frame.end;
      visit(message);
    }
    message.letGo();
  }
}

const noIdentifiers: readonly number[] = [];

/** Whether these frames suit the whole group as they stand. */
function takesRange(group: DeliveryGroup, range: PublishRange): boolean {
  return group.isV5 === range.isV5 && group.qos >= range.qos && group.identifiers.length === 0;
}

function reaches(target: Target, publisher: string): boolean {
  const isSelf = target.session.clientIdentifier === publisher;
  return isSelf === (target.reach === Reach.selfOnly); // [MQTT-3.8.3-3] no local
}

/** A header to be filled in by `scanPublish`. */
export function newPublishHeader(): PublishHeader {
  return {
    qos: 0,
    retain: false,
    dup: false,
    packetIdentifier: 0,
    properties: newPublishPropertyOffsets(),
  };
}
