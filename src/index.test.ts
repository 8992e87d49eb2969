/** What createBroker itself decides: where it listens without users, and which limits it takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrokerOptions, createBroker, type EnhancedAuthenticator } from "./index.ts";

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
