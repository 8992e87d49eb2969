/** Whose a session is outlives the broker, and what its rights were is looked at again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../../../src/base/index.ts";
import type { AuthorizationRequest } from "../../../src/broker/index.ts";
import { connack, kept, StoredBroker } from "./stored-broker.ts";

test("a session is its user's after a restart too", async () => {
  const before = new StoredBroker();
  (await before.keepingSubscriber("c", "t", { userName: "ada" })).lose();
  before.publish("t", "waits", 1);
  await before.rest();
  const after = await before.restart();
  for (const userName of ["bob", undefined]) {
    const other = after.open();
    other.connect("c", { ...kept(), userName });
    await after.rest();
    assert.equal(connack(other).reasonCode, ReasonCode.notAuthorized);
  }
  const ada = await after.keeper("c", { userName: "ada" });
  await after.rest();
  assert.deepEqual(ada.payloads, ["waits"]);
});

test("rights that were taken away while the broker was down end the subscription when its client returns", async () => {
  const forbidden = new Set<string>();
  const authorizer = {
    generation: 0,
    authorize: ({ topic }: AuthorizationRequest) => ({
      allowed: !forbidden.has(topic),
      rule: "forbidden",
    }),
  };
  const before = new StoredBroker(undefined, { authorizer });
  (await before.keepingSubscriber("c", "secret", { userName: "ada" })).lose();
  await before.rest();
  forbidden.add("secret");
  const after = await before.restart();
  const ada = await after.keeper("c", { userName: "ada" });
  assert.match(connack(ada).properties.reasonString ?? "", /subscription to secret has ended/);
  await after.rest();
  assert.deepEqual(after.stored("c").subscriptions, []);
});
