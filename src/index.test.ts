/** What createBroker itself decides: where it listens without users, and which limits it takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BrokerOptions,
  createBroker,
  defaultLimits,
  type EnhancedAuthenticator,
  type Transport,
  TstackError,
} from "./index.ts";
import { MemoryStorage } from "./storage/index.ts";

const method: EnhancedAuthenticator = {
  method: "NOBODY",
  begin: () => ({ next: () => ({ outcome: "failure", reasonCode: 0x87, rule: "test" }) }),
};

const openToAnyone: Record<string, BrokerOptions> = {
  "no authenticator": {},
  "no method of enhanced authentication": { enhancedAuthenticators: [] },
  "enhanced authentication, which a client may leave alone": { enhancedAuthenticators: [method] },
};

for (const [what, options] of Object.entries(openToAnyone)) {
  test(`with ${what} it listens on loopback alone`, async () => {
    const broker = createBroker({ sysTopicsSeconds: 0, ...options });
    await assert.rejects(broker.listen("mqtt://0.0.0.0:0"), { code: "LISTEN_WITHOUT_USERS" });
    await broker.listen("mqtt://127.0.0.1:0");
    await broker.close();
  });
}

test("a broker with a storage is used when it has taken it up, and its state is there again", async () => {
  const storage = new MemoryStorage();
  const first = createBroker({ sysTopicsSeconds: 0, storage });
  const notYet = { code: "STORAGE_NOT_RESTORED" };
  assert.throws(() => first.publish("t", "kept", { retain: true }), notYet);
  assert.throws(() => first.subscribe("t", () => {}), notYet);
  assert.throws(() => first.accept({} as Transport), notYet);
  await first.restore();
  first.publish("t", "kept", { retain: true });
  await first.close();
  const second = createBroker({ sysTopicsSeconds: 0, storage });
  await second.listen("mqtt://127.0.0.1:0");
  const heard: string[] = [];
  second.subscribe("t", ({ payload }) => heard.push(Buffer.from(payload).toString()));
  assert.deepEqual(heard, ["kept"]);
  await second.close();
});

test("with an authenticator, or when everybody is asked in, it listens everywhere", async () => {
  const authenticator = {
    authenticate: () => ({ allowed: false, reasonCode: 0x87, rule: "test" }) as const,
  };
  for (const options of [{ authenticator }, { allowAnonymous: true }]) {
    const broker = createBroker({ sysTopicsSeconds: 0, ...options });
    await broker.listen("mqtt://0.0.0.0:0");
    await broker.close();
  }
});

const wrongLimits: Record<string, unknown> = {
  connectionsMax: 0,
  connectSecondsMax: 0,
  packetSecondsMax: Number.NaN,
  endSecondsMax: -1,
  inFlightMessagesMax: 65_536,
  topicAliasMax: 65_536,
  keepAliveSecondsMax: 65_536,
  packetBytesMax: Number.POSITIVE_INFINITY,
  queueBytesMax: 1.5,
  outboxBytesMax: "1000",
  sessionExpirySecondsMax: 2 ** 32,
  clientIdentifierBytesMax: 22,
  conectionsMax: 10,
};

for (const [name, value] of Object.entries(wrongLimits)) {
  test(`a limit that cannot hold is refused by its name: ${name} ${value}`, () => {
    assert.throws(
      () => createBroker({ limits: { [name]: value } }),
      (error) =>
        error instanceof TstackError &&
        error.code === "CONFIGURATION_INVALID" &&
        error.message.includes(name),
    );
  });
}

test("the bounds themselves are taken, the defaults are within them, and undefined is the default", async () => {
  const lowest = { topicAliasMax: 0, keepAliveSecondsMax: 0, queueMessagesMax: 0 };
  const highest = { inFlightMessagesMax: 65_535, packetBytesMax: 268_435_460 };
  for (const limits of [defaultLimits, lowest, highest, { connectionsMax: undefined }]) {
    await createBroker({ limits, sysTopicsSeconds: 0 }).close();
  }
});
