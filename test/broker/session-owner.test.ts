/** Whose a session is, and what becomes of it when its user's rights change or its user is no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../../src/base/index.ts";
import type { AuthorizationDecision, AuthorizationRequest } from "../../src/broker/index.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
  ProtocolVersion,
} from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } } as const;
const will = {
  topic: "w",
  payload: Buffer.from("gone"),
  qos: 0,
  retain: false,
  properties: {},
} as const;

/** Topics that nobody may touch; changed, it is another generation. */
class Forbidding {
  generation = 0;
  readonly forbidden = new Set<string>();
  asked: AuthorizationRequest[] = [];

  authorize(request: AuthorizationRequest): AuthorizationDecision | Promise<AuthorizationDecision> {
    this.asked.push(request);
    return { allowed: !this.forbidden.has(request.topic), rule: "forbidden" };
  }

  forbid(topic: string): void {
    this.forbidden.add(topic);
    this.generation++;
  }
}

class SlowlyForbidding extends Forbidding {
  override async authorize(request: AuthorizationRequest): Promise<AuthorizationDecision> {
    return await super.authorize(request);
  }
}

async function connack(
  broker: TestBroker,
  name: string,
  fields: Partial<ConnectPacket> = {},
): Promise<ConnackPacket> {
  const client = new MemoryClient(broker, fields.protocolVersion);
  client.connect(name, fields);
  await broker.settle();
  const [packet] = client.packets;
  assert.equal(packet.type, PacketType.connack);
  return packet;
}

function disconnectOf(client: MemoryClient): DisconnectPacket | undefined {
  return client.packets.findLast((packet) => packet.type === PacketType.disconnect);
}

test("a session is nobody else's: not to take over, not to end with a clean start, connected or not", async () => {
  const broker = new TestBroker();
  const ada = await broker.connect("c", { ...kept, userName: "ada" });
  ada.subscribe("a", 1);
  await broker.settle();
  for (const userName of ["bob", "", undefined]) {
    for (const cleanStart of [true, false]) {
      const refused = await connack(broker, "c", { userName, cleanStart });
      assert.equal(refused.reasonCode, ReasonCode.notAuthorized, `${userName} ${cleanStart}`);
      assert.match(refused.properties.reasonString ?? "", /another user/);
    }
  }
  const v3 = await connack(broker, "c", {
    userName: "bob",
    protocolVersion: ProtocolVersion.v3_1_1,
  });
  assert.equal(v3.reasonCode, 5);
  assert.equal(ada.isEnded, false);
  ada.lose();
  assert.equal((await connack(broker, "c", { userName: "bob" })).reasonCode, 0x87);
  broker.publish("a", "kept", 1);
  const back = await broker.connect("c", { ...kept, userName: "ada" });
  await broker.settle();
  assert.deepEqual(back.payloads, ["kept"]);
});

test("what an anonymous client has left is for whoever comes with its client identifier", async () => {
  const broker = new TestBroker();
  (await broker.connect("c", kept)).lose();
  const taken = await connack(broker, "c", { ...kept, userName: "ada" });
  assert.equal(taken.reasonCode, 0);
  assert.equal(taken.sessionPresent, true);
  assert.equal((await connack(broker, "c", kept)).reasonCode, ReasonCode.notAuthorized);
});

for (const authorizer of [new Forbidding(), new SlowlyForbidding()]) {
  const how = authorizer instanceof SlowlyForbidding ? "later" : "at once";
  test(`a right that is taken away ends the subscription, told with DISCONNECT 0x87 (answered ${how})`, async () => {
    const broker = new TestBroker({ authorizer });
    const ada = await broker.connect("ada", { ...kept, userName: "ada" });
    const bob = await broker.connect("bob", { ...kept, userName: "bob" });
    for (const client of [ada, bob]) client.subscribe("secret", 1);
    ada.subscribe("$share/g/secret", 1);
    ada.subscribe("open", 1);
    await broker.settle();
    authorizer.forbid("secret");
    broker.core.rightsChanged(new Set(["ada"]));
    await broker.settle();
    assert.equal(disconnectOf(ada)?.reasonCode, ReasonCode.notAuthorized);
    assert.match(
      disconnectOf(ada)?.properties.reasonString ?? "",
      /subscription to secret and 1 more/,
    );
    assert.equal(disconnectOf(bob), undefined, "only those who were named");
    broker.publish("secret", "s", 1);
    broker.publish("open", "o", 1);
    const back = await broker.connect("ada", { ...kept, userName: "ada" });
    await broker.settle();
    assert.deepEqual(back.payloads, ["o"]);
    assert.deepEqual(bob.payloads, ["s"]);
    broker.core.rightsChanged();
    await broker.settle();
    assert.equal(disconnectOf(bob)?.reasonCode, ReasonCode.notAuthorized);
  });
}

test("a client that was away hears in CONNACK what has ended meanwhile", async () => {
  const authorizer = new Forbidding();
  const broker = new TestBroker({ authorizer });
  const ada = await broker.connect("ada", { ...kept, userName: "ada" });
  ada.subscribe("secret", 1);
  ada.subscribe("open", 1);
  await broker.settle();
  ada.lose();
  authorizer.forbid("secret");
  const asked = authorizer.asked.length;
  const back = await connack(broker, "ada", { ...kept, userName: "ada" });
  assert.equal(back.reasonCode, 0);
  assert.match(back.properties.reasonString ?? "", /subscription to secret has ended/);
  assert.equal(authorizer.asked.length, asked + 2);
  const again = await connack(broker, "ada", { ...kept, userName: "ada" });
  assert.equal(again.properties.reasonString, undefined);
  assert.equal(authorizer.asked.length, asked + 2, "looked at once for each change of the rights");
});

test("a session that is away loses what is no longer allowed at once, not when its client returns", async () => {
  const authorizer = new Forbidding();
  const broker = new TestBroker({ authorizer });
  const ada = await broker.connect("ada", { ...kept, userName: "ada" });
  ada.subscribe("secret", 1);
  await broker.settle();
  ada.lose();
  authorizer.forbid("secret");
  broker.core.rightsChanged(new Set(["ada"]));
  authorizer.forbidden.clear();
  broker.publish("secret", "s", 1);
  const told = await connack(broker, "ada", { ...kept, userName: "ada" });
  assert.match(told.properties.reasonString ?? "", /^the subscription to secret has ended/);
  const again = await connack(broker, "ada", { ...kept, userName: "ada" });
  assert.equal(again.properties.reasonString, undefined);
  const back = await broker.connect("ada", { ...kept, userName: "ada" });
  await broker.settle();
  assert.deepEqual(back.payloads, []);
});

test("a will that is no longer allowed is not published", async () => {
  const authorizer = new Forbidding();
  const broker = new TestBroker({ authorizer });
  const witness = await broker.subscriber("witness", "w");
  const away = { ...will, properties: { willDelayInterval: 5 } };
  const ada = await broker.connect("ada", { ...kept, userName: "ada", will });
  (await broker.connect("bob", { ...kept, userName: "bob", will: away })).lose();
  authorizer.forbid("w");
  authorizer.forbidden.add("w");
  broker.core.rightsChanged(new Set(["ada", "bob"]));
  assert.equal(disconnectOf(ada)?.reasonCode, ReasonCode.notAuthorized);
  assert.match(disconnectOf(ada)?.properties.reasonString ?? "", /will on w/);
  broker.clock.advance(10_000);
  await broker.settle();
  assert.deepEqual(witness.payloads, []);
});

test("a publisher that loses its right is refused from the next message on, by QoS and retain", async () => {
  const denied = { qos: -1, retain: false };
  const authorizer = {
    generation: 0,
    authorize: ({ qos, retain }: AuthorizationRequest) => {
      const allowed = !(qos === denied.qos && retain === denied.retain);
      return { allowed, rule: "by QoS and retain" };
    },
  };
  const broker = new TestBroker({ authorizer });
  const witness = await broker.subscriber("witness", "#", 2);
  const ada = await broker.connect("ada");
  const sendAll = async (): Promise<string[]> => {
    for (const qos of [0, 1] as const) {
      for (const retain of [false, true]) {
        for (const round of [1, 2])
          ada.publish("t", `${qos}${retain ? "r" : ""}-${round}`, { qos, retain });
      }
    }
    await broker.settle();
    const got = witness.payloads;
    for (const { packetIdentifier = 0 } of witness.publishes) {
      if (packetIdentifier > 0) witness.acknowledge(packetIdentifier);
    }
    witness.packets.length = 0;
    return got;
  };
  const all = ["0-1", "0-2", "0r-1", "0r-2", "1-1", "1-2", "1r-1", "1r-2"];
  assert.deepEqual(await sendAll(), all);
  for (const qos of [0, 1] as const) {
    for (const retain of [false, true]) {
      Object.assign(denied, { qos, retain });
      authorizer.generation++;
      const start = `${qos}${retain ? "r" : ""}-`;
      assert.deepEqual(
        await sendAll(),
        all.filter((payload) => !payload.startsWith(start)),
        start,
      );
    }
  }
});

test("a user who is cut off loses all connections; who is no more, the sessions too", async () => {
  const broker = new TestBroker();
  const one = await broker.connect("one", { ...kept, userName: "ada" });
  const two = await broker.connect("two", { userName: "ada" });
  const bob = await broker.connect("bob", { ...kept, userName: "bob" });
  assert.equal(broker.core.disconnectUser("ada", { reason: "disabled" }), 2);
  for (const client of [one, two]) {
    assert.equal(disconnectOf(client)?.reasonCode, ReasonCode.administrativeAction);
    assert.equal(disconnectOf(client)?.properties.reasonString, "disabled");
  }
  assert.equal(disconnectOf(bob), undefined);
  const names = () => broker.core.clients("ada").map(({ clientIdentifier }) => clientIdentifier);
  assert.deepEqual(names(), ["one"]);
  assert.equal(broker.core.disconnectUser("ada", { reason: "removed", endSessions: true }), 0);
  assert.deepEqual(names(), []);
  assert.equal((await connack(broker, "one", { ...kept, userName: "bob" })).reasonCode, 0);
});

test("a user is cut off also while its session is being opened", async () => {
  const { promise, resolve } = Promise.withResolvers<AuthorizationDecision>();
  const broker = new TestBroker({ authorizer: { generation: 0, authorize: () => promise } });
  const ada = new MemoryClient(broker);
  ada.connect("ada", { userName: "ada", will });
  await broker.settle();
  assert.equal(broker.core.disconnectUser("ada", { reason: "removed", endSessions: true }), 1);
  resolve({ allowed: true, rule: "late" });
  await broker.settle();
  assert.equal(ada.isEnded, true);
  assert.deepEqual(ada.packetTypes, []);
  assert.deepEqual(broker.core.clients(), []);
});

for (const [how, fields] of [
  ["with a password", {}],
  ["by AUTH packets", { properties: { authenticationMethod: "slow" } }],
] as const) {
  test(`a user is cut off also while it is being found out who a client is: ${how}`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const login = { allowed: true, outcome: "success", rule: "late", data: undefined } as const;
    const wait = async (userName: string | undefined) => {
      await promise;
      return { ...login, userName };
    };
    const broker = new TestBroker({
      authenticator: { authenticate: ({ userName }) => wait(userName) },
      enhancedAuthenticators: [
        { method: "slow", begin: ({ userName }) => ({ next: () => wait(userName) }) },
      ],
    });
    const [ada, bob, cyd] = ["ada", "bob", "cyd"].map((userName) => {
      const client = new MemoryClient(broker);
      client.connect(userName, { userName, ...fields });
      return client;
    });
    await broker.settle();
    assert.equal(broker.core.disconnectUser("ada", { reason: "disabled" }), 0);
    const others = new Set(["dan", "bob"]);
    assert.equal(broker.core.disconnectUser(others, { reason: "disabled" }), 0);
    resolve();
    await broker.settle();
    for (const client of [ada, bob]) {
      const [packet] = client.packets;
      assert.ok(packet.type === PacketType.connack);
      assert.equal(packet.reasonCode, ReasonCode.notAuthorized);
      assert.equal(client.isEnded, true);
    }
    assert.deepEqual(
      broker.core.clients().map(({ userName }) => userName),
      ["cyd"],
    );
    assert.equal(cyd.isEnded, false);
    assert.equal((await connack(broker, "ada", { userName: "ada", ...fields })).reasonCode, 0);
  });
}

test("5.0 what a client proved itself with expires: DISCONNECT 0xA0, and its session stays", async () => {
  const broker: TestBroker = new TestBroker({
    authenticator: {
      authenticate: ({ userName }) => {
        const expiresAt = broker.clock.now() + 5000;
        return { allowed: true, userName, rule: "for five seconds", expiresAt };
      },
    },
  });
  const ada = await broker.connect("ada", { ...kept, userName: "ada" });
  broker.clock.advance(4999);
  assert.equal(ada.isEnded, false);
  broker.clock.advance(1);
  assert.equal(disconnectOf(ada)?.reasonCode, ReasonCode.maximumConnectTime);
  assert.equal((await connack(broker, "ada", { ...kept, userName: "ada" })).sessionPresent, true);
});

test("the grant of an authenticator comes to the authorizer as it is", async () => {
  const grant = { of: "ada" };
  const authorizer = new Forbidding();
  const broker = new TestBroker({
    authorizer,
    authenticator: {
      authenticate: ({ userName }) => ({ allowed: true, userName, rule: "", grant }),
    },
  });
  const ada = await broker.connect("ada", { ...kept, userName: "ada" });
  ada.subscribe("a");
  ada.publish("b", "");
  await broker.settle();
  assert.ok(authorizer.asked.every(({ client }) => client.grant === grant));
  ada.lose();
  const asked = authorizer.asked.length;
  await broker.connect("ada", { ...kept, userName: "ada" });
  assert.equal(authorizer.asked.length, asked + 1, "another login may bring other rights");
});

test("rights that came with a login are not looked at while its client is away: they come again with the next", async () => {
  const grant = { of: "ada" };
  const authorizer = {
    generation: 0,
    authorize: ({ client }: AuthorizationRequest) => {
      return { allowed: client.grant === grant, rule: "by grant" };
    },
  };
  const broker = new TestBroker({
    authorizer,
    authenticator: {
      authenticate: ({ userName }) => ({ allowed: true, userName, rule: "", grant }),
    },
  });
  const ada = await broker.connect("ada", { ...kept, userName: "ada" });
  ada.subscribe("a", 1);
  await broker.settle();
  ada.lose();
  authorizer.generation++;
  broker.core.rightsChanged();
  broker.publish("a", "kept", 1);
  const back = await broker.connect("ada", { ...kept, userName: "ada" });
  await broker.settle();
  assert.deepEqual(back.payloads, ["kept"]);
});
