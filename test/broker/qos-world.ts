/**
 * A broker, its clients, and steps that a random test puts together: messages, answers, bytes that move or stand
 * still, connections that are cut, replaced and come back, time. At the end all come back and everything is drained;
 * then what arrived must be what QoS 0, 1 and 2 promise.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolVersion, type QoS } from "../../src/codec/index.ts";
import { type ConnectOptions, PersistentClient, type Subscribed } from "./persistent-client.ts";
import { TestBroker } from "./test-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const expirySeconds = 100;
const waitSeconds = 40;
const roundsMax = 2000;

type Action =
  | "publish"
  | "answer"
  | "move"
  | "cut"
  | "connect"
  | "takeOver"
  | "stall"
  | "drain"
  | "wait"
  | "beginAnew";

/** One step; each action takes of it what it needs. */
export interface Step {
  readonly action: Action;
  readonly client: number;
  readonly qos: QoS;
  readonly payloadBytes: number;
  /** Which of the answers that the client owes. */
  readonly answer: number;
  /** Thousandths of what is under way. */
  readonly toBroker: number;
  readonly toClient: number;
  readonly version: ProtocolVersion;
  readonly receiveMaximum: number;
  /** Whether the broker comes to the end of its tick before the next step. */
  readonly settles: boolean;
}

const weights: Partial<Record<Action, number>> = {
  publish: 6,
  answer: 8,
  move: 10,
  cut: 2,
  connect: 4,
  takeOver: 1,
  stall: 2,
  drain: 2,
  wait: 1,
};

/** Steps for clients up to number `clientMax`. */
export function stepsFor(clientMax: number, more: typeof weights = {}): fc.Arbitrary<Step[]> {
  const actions = Object.entries({ ...weights, ...more }) as [Action, number][];
  const thousandths = fc.oneof(fc.constant(1000), fc.nat(1000));
  const step = fc.record<Step>({
    action: fc.oneof(
      ...actions.map(([action, weight]) => ({ weight, arbitrary: fc.constant(action) })),
    ),
    client: fc.nat(clientMax),
    qos: fc.constantFrom<QoS[]>(0, 1, 1, 2, 2, 2),
    payloadBytes: fc.constantFrom(0, 0, 200),
    answer: fc.oneof(fc.constant(0), fc.nat(9)),
    toBroker: thousandths,
    toClient: thousandths,
    version: fc.constantFrom(v3_1_1, v5),
    receiveMaximum: fc.constantFrom(1, 2, 3, 10),
    settles: fc.constantFrom(true, true, true, false),
  });
  return fc.array(step, { minLength: 1, maxLength: 80, size: "max" });
}

/** How much of what is under way arrives when a connection is cut. */
type Loss = Pick<Step, "toBroker" | "toClient" | "settles">;
type OpenOptions = Omit<ConnectOptions, "expirySeconds">;

export interface Published {
  readonly name: string;
  readonly qos: QoS;
  readonly from: PersistentClient;
}

export class QosWorld {
  readonly broker: TestBroker;
  readonly clients: PersistentClient[] = [];
  readonly published: Published[] = [];
  readonly #offlineSince = new Map<PersistentClient, number>();
  /** Whether the broker may have bytes that it has not yet written. */
  #isSettled = true;

  /** The broker's outboxes are small, so that clients who do not read are slow readers soon. */
  constructor() {
    this.broker = new TestBroker({
      limits: { sessionExpirySecondsV3: expirySeconds, outboxBytesMax: 150 },
    });
  }

  /** A client that is connected and has its subscription, if it has one. */
  async join(name: string, subscribed?: Subscribed): Promise<PersistentClient> {
    const client = new PersistentClient(this.broker, name, subscribed);
    this.clients.push(client);
    await this.#open(client, { version: v5, receiveMaximum: 10, cleanStart: true });
    return client;
  }

  async #open(client: PersistentClient, options: OpenOptions): Promise<void> {
    this.#connect(client, options);
    await this.#exchange();
    client.subscribe();
    await this.#exchange();
  }

  /** `publish` goes to the topic that is named after its sender. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#act(this.clients[step.client], step);
      if (step.settles) await this.#settle();
      this.#checkFaults();
    }
  }

  /** A part of what is under way in either direction arrives; the rest, and what that would cause, never does. */
  async cut(client: PersistentClient, { toBroker, toClient, settles }: Loss): Promise<void> {
    const { link } = client;
    if (link === undefined) return;
    link.moveToBroker(toBroker);
    if (settles) await this.#settle();
    this.#noteLostBytes(client);
    link.moveToClient(toClient);
    // One that is cut before CONNACK has not reached its session.
    if (client.witness.isAttached) this.#offlineSince.set(client, this.broker.clock.now());
    client.witness.isAttached = false;
    client.leave();
    link.cut();
  }

  async #act(client: PersistentClient, step: Step): Promise<void> {
    const { link } = client;
    switch (step.action) {
      case "connect":
        if (link === undefined) this.#connect(client, step);
        return;
      case "beginAnew":
        await this.#beginAnew(client, step);
        return;
      case "wait":
        await this.#wait();
        return;
    }
    if (link === undefined) return;
    this.#isSettled = false;
    switch (step.action) {
      case "publish":
        if (client.isConnected) this.#publish(client, step);
        break;
      case "answer":
        client.answer(step.answer % Math.max(1, client.answers.length));
        break;
      case "move":
        link.moveToBroker(step.toBroker);
        link.moveToClient(step.toClient);
        break;
      case "cut":
        await this.cut(client, step);
        break;
      case "takeOver":
        await this.#takeOver(client, step);
        break;
      case "stall":
        link.stall();
        break;
      case "drain":
        link.drain();
        break;
    }
  }

  #publish(client: PersistentClient, { qos, payloadBytes }: Step): void {
    const name = `${this.published.length}`;
    this.published.push({ name, qos, from: client });
    client.publish(`from/${client.clientIdentifier}`, name, qos, payloadBytes);
  }

  #connect(client: PersistentClient, options: OpenOptions): void {
    this.#isSettled = false;
    client.connect({ ...options, expirySeconds });
    client.link?.moveToBroker(1000);
  }

  /** The client connects anew while the broker still has its old connection, whose last bytes may come late. */
  async #takeOver(client: PersistentClient, step: Step): Promise<void> {
    const { link } = client;
    if (link === undefined) return;
    link.moveToBroker(step.toBroker);
    link.moveToClient(step.toClient);
    this.#connect(client, step);
    link.moveToBroker(1000);
    await this.#settle();
    assert.ok(link.isEnded, "the broker ends a connection that was taken over");
    link.moveToBroker(1000);
    link.cut();
    assert.equal(link.fault, undefined);
  }

  /** The session is given up, and all that was under way in it. With Clean Session 1, 3.1.1 would not keep the new one. */
  async #beginAnew(client: PersistentClient, step: Step): Promise<void> {
    const { link } = client;
    client.leave();
    link?.cut();
    await this.#open(client, { ...step, version: v5, cleanStart: true });
  }

  /** Within the expiry of those who are not connected, and with nothing half said. */
  async #wait(): Promise<void> {
    await this.#exchange();
    const now = this.broker.clock.now();
    const offline = this.clients.filter(({ link }) => link === undefined);
    const since = offline.map((client) => this.#offlineSince.get(client) ?? now);
    const latest = Math.min(now, ...since) + (expirySeconds - 1) * 1000;
    this.broker.clock.advance(Math.min(waitSeconds * 1000, latest - now));
  }

  /** What the broker still has in its outbox is lost with the connection. */
  #noteLostBytes({ link, witness }: PersistentClient): void {
    if (link?.isBusy || !this.#isSettled) witness.mayHaveLostBytes = true;
  }

  async #settle(): Promise<void> {
    await this.broker.settle();
    this.#isSettled = true;
  }

  /** Everything moves, until nothing is under way. Nobody answers. */
  async #exchange(clients: readonly PersistentClient[] = this.clients): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      await this.#settle();
      const links = clients.flatMap(({ link }) => link ?? []);
      for (const link of links) link.drain();
      const moving = links.filter(({ isMoving }) => isMoving);
      if (moving.length === 0) return;
      for (const link of moving) {
        link.moveToBroker(1000);
        link.moveToClient(1000);
      }
    }
    assert.fail("it never ends");
  }

  #checkFaults(): void {
    for (const { link } of this.clients) {
      if (link === undefined) continue;
      if (link.fault !== undefined) throw link.fault;
      assert.ok(!link.isEnded, "the broker ended a connection");
    }
    this.broker.expectErrors(0);
  }

  /** They come back and answer everything; to and from others nothing moves. */
  async comeToRest(clients: readonly PersistentClient[] = this.clients): Promise<void> {
    for (const client of clients) {
      if (client.link === undefined) this.#connect(client, { version: v5, receiveMaximum: 2 });
    }
    for (let round = 0; round < roundsMax; round++) {
      await this.#exchange(clients);
      this.#checkFaults();
      const owing = clients.filter(({ answers }) => answers.length > 0);
      if (owing.length === 0) return;
      for (const client of owing) while (client.answers.length > 0) client.answer(0);
    }
    assert.fail("it never ends");
  }

  /** All reconnect once more, and nothing comes: everything was acknowledged. */
  async checkSilence(): Promise<void> {
    for (const client of this.clients) {
      client.link?.cut();
      client.leave();
      client.packetsHeard = 0;
    }
    await this.comeToRest();
    for (const { packetsHeard, clientIdentifier } of this.clients) {
      assert.equal(packetsHeard, 1, `${clientIdentifier} gets CONNACK and nothing else`);
    }
  }
}
