/**
 * One broker and everything around it for one round: peers, bystanders, time, rights. Actions go in one after the other,
 * each to its end: until no tick, no answer and no closing transport is left. What must always hold is checked there.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Log, silentLog } from "../../src/base/index.ts";
import { Broker } from "../../src/broker/index.ts";
import type { Session } from "../../src/broker/session.ts";
import { ProtocolVersion } from "../../src/codec/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import type { Action, Traits } from "./action.ts";
import { Bystander } from "./bystander.ts";
import type { Chance } from "./chance.ts";
import { FuzzClock } from "./fuzz-clock.ts";
import { DeliberateFault, enhancedAuthenticator, Gatekeeper } from "./gatekeeper.ts";
import { Peer } from "./peer.ts";
import type { Settings } from "./settings.ts";
import { describeError, Violations } from "./violation.ts";

/** An action that needs more turns of the event loop or more timers than this never ends. */
const turnsMax = 2000;
const timersMax = 20_000;
/** Below it not even every acknowledgement has room. */
const answerBytesMax = 16;

export class World {
  readonly settings: Settings;
  readonly violations = new Violations();
  readonly clock = new FuzzClock();
  readonly gatekeeper: Gatekeeper;
  readonly broker: Broker;
  readonly bystanders: Bystander[] = [];
  readonly peers: (Peer | undefined)[] = [];
  /** How each peer's connection ended, by its remote address, as the log tells it. */
  readonly endings = new Map<string, string>();
  /** Connections and sessions that there were: none may be held when all is over. */
  readonly past: WeakRef<object>[] = [];
  readonly #seen = new WeakSet<object>();
  /** Transports that are not closed. */
  readonly #open = new Set<Peer>();
  #number = 0;
  #accepted = 0;

  constructor(settings: Settings, chance: Chance) {
    this.settings = settings;
    this.gatekeeper = new Gatekeeper(this.clock, settings.sabotage);
    this.broker = new Broker({
      clock: this.clock,
      random: chance,
      log: this.#log(),
      authenticator: this.gatekeeper,
      authorizer: this.gatekeeper,
      enhancedAuthenticators: [enhancedAuthenticator(this.clock)],
      storage: new MemoryStorage(),
      limits: settings.limits,
      queueDrop: settings.queueDrop,
      sysTopicsSeconds: settings.sysTopicsSeconds,
      version: "fuzz",
    });
    this.#poisonSlabs();
    if (settings.hasEcho) this.#subscribeEcho();
  }

  /** Bystanders come first, and in peace. */
  async begin(): Promise<void> {
    const versions: ProtocolVersion[] = [ProtocolVersion.v3_1_1];
    // With a keep alive imposed a 5.0 client would have to ping through all of the time that passes.
    if (this.settings.limits.keepAliveSecondsMax === 65_535) versions.push(ProtocolVersion.v5);
    for (const version of versions) {
      const bystander = new Bystander(this.broker, this.violations, version);
      this.bystanders.push(bystander);
      this.#track(bystander.peer);
      bystander.connect();
      await this.settle();
      bystander.subscribe();
      await this.settle();
    }
  }

  async perform(action: Action): Promise<void> {
    switch (action.kind) {
      case "open":
        this.#openPeer(action.peer, action.traits);
        break;
      case "send":
        await this.#send(action.peer, action.bytes, action.splits);
        break;
      case "busy": {
        const peer = this.peers[action.peer];
        if (peer !== undefined) peer.isBusy = true;
        break;
      }
      case "drain":
        this.peers[action.peer]?.drain();
        break;
      case "cut":
        this.peers[action.peer]?.close(action.isFault);
        break;
      case "advance":
        await this.#advance(action.milliseconds);
        break;
      case "bystand":
        this.#bystand(action.index, action.qos);
        break;
      case "rights":
        this.gatekeeper.generation++;
        this.broker.rightsChanged();
        break;
      case "publish": {
        const { topic, qos, retain, bytes } = action;
        const message = { topic, qos, retain, payload: Buffer.alloc(bytes, 0x70), properties: {} };
        this.gatekeeper.topics.add(topic);
        this.violations.guard("publish", () => this.broker.publish(message));
        break;
      }
    }
    await this.settle();
    this.#check();
  }

  #openPeer(index: number, traits: Traits): void {
    this.peers[index]?.close(false);
    const remoteAddress = `peer ${this.#accepted++}`;
    const peer = new Peer(this.broker, this.violations, { remoteAddress, traits });
    this.peers[index] = peer;
    this.#track(peer);
  }

  #track(peer: Peer): void {
    this.#open.add(peer);
    this.past.push(new WeakRef(peer.connection));
  }

  async #send(index: number, bytes: Buffer, splits: readonly number[]): Promise<void> {
    const peer = this.peers[index];
    let start = 0;
    for (const end of [...splits, bytes.length]) {
      peer?.send(bytes.subarray(start, end));
      start = end;
      if (end < bytes.length) await this.settle();
    }
  }

  #bystand(index: number, qos: 0 | 1 | 2): void {
    const bystander = this.bystanders[index % this.bystanders.length];
    const number = this.#number++;
    for (const each of this.bystanders) each.expect(number);
    bystander.publish(number, qos);
  }

  async #advance(milliseconds: number): Promise<void> {
    const until = this.clock.now() + milliseconds;
    for (const peer of this.#open) if (peer.isEnded) peer.close(false);
    for (let timers = 0; timers < timersMax; timers++) {
      let hasMore = false;
      this.violations.guard("a timer", () => {
        hasMore = this.clock.step(until);
      });
      if (!hasMore) return;
      await this.settle();
    }
    this.violations.report("timers do not come to an end");
  }

  /** Until nothing more happens by itself. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn++) {
      this.violations.guard("the end of a tick", () => this.clock.endTick());
      for (const { peer } of this.bystanders) peer.answer();
      for (const peer of this.#open) this.#letFlow(peer);
      await nextTurn();
      if (!this.clock.hasTicks && this.#isQuiet()) return;
    }
    this.violations.report("the broker does not come to rest");
  }

  #letFlow(peer: Peer): void {
    if (peer.isEnded && !peer.traits.lingers) peer.close(false);
    if (peer.isClosed) this.#open.delete(peer);
    else peer.flow();
  }

  #isQuiet(): boolean {
    if (this.bystanders.some(({ peer }) => peer.owed.length > 0)) return false;
    for (const peer of this.#open) {
      const { isClosed, isEnded, isPaused, hasUnsent, traits } = peer;
      if (isClosed || (isEnded && !traits.lingers)) return false;
      if (hasUnsent && !isPaused && !isEnded) return false;
    }
    return true;
  }

  #check(): void {
    for (const bystander of this.bystanders) bystander.check();
    for (const peer of this.#open) {
      this.#note(peer.connection.session);
      this.#checkAnswered(peer);
    }
  }

  #note(session: Session | undefined): void {
    if (session === undefined || this.#seen.has(session)) return;
    this.#seen.add(session);
    this.past.push(new WeakRef(session));
  }

  /** A client that is being read and reads has all its answers, and one that sent rubbish has its end. */
  #checkAnswered(peer: Peer): void {
    const { connection, witness, traits } = peer;
    if (peer.isEnded || peer.isClosed || peer.isBusy || peer.isPaused) return;
    if (connection.isSuspended || connection.isClosed || traits.breaksAtByte > 0) return;
    witness.settled(connection.session?.inFlightMessages ?? 0);
    const { requests } = witness;
    if (requests.fault !== undefined) {
      this.violations.report("a malformed packet that the broker bears", requests.fault);
    }
    const maximum = requests.connect?.properties.maximumPacketSize ?? answerBytesMax;
    const { missing } = requests;
    if (!witness.isConnected || maximum < answerBytesMax || missing === undefined) return;
    this.violations.report(`no answer of type ${missing}`, peer.remoteAddress);
  }

  #log(): Log {
    return {
      ...silentLog,
      info: (fields, message) => {
        const { from } = fields as { from?: string };
        if (from !== undefined && message !== "connected") this.endings.set(from, message);
      },
      error: (fields, message) => {
        const { error } = fields as { error?: unknown };
        if (error instanceof DeliberateFault) return;
        this.violations.report(
          "the broker logged a fault of its own",
          `${message}: ${describeError(error)}`,
        );
      },
    };
  }

  /** A slab that is given back too early shows: its bytes are spoiled. One that is given back twice is reported. */
  #poisonSlabs(): void {
    const { slabs } = this.broker.tickEnd;
    const kept = new WeakSet<Buffer>();
    const take = slabs.take.bind(slabs);
    const giveBack = slabs.giveBack.bind(slabs);
    slabs.take = (length) => {
      const slab = take(length);
      kept.delete(slab);
      return slab;
    };
    slabs.giveBack = (slab) => {
      if (kept.has(slab)) this.violations.report("a slab was given back twice");
      kept.add(slab);
      slab.fill(0xdd);
      giveBack(slab);
    };
  }

  #subscribeEcho(): void {
    this.broker.subscribe("echo/+", ({ topic, payload, qos }) => {
      if (topic === "echo/fault") throw new DeliberateFault("echo");
      if (payload.length > 100) return;
      const retain = payload.length % 2 === 0;
      this.gatekeeper.topics.add("a/b");
      this.broker.publish({ topic: "a/b", payload, qos, retain, properties: {} });
      if (payload.length > 2) return;
      const longer = Buffer.concat([payload, payload, Buffer.from("e")]);
      this.broker.publish({
        topic: "echo/again",
        payload: longer,
        qos,
        retain: false,
        properties: {},
      });
    });
  }
}
