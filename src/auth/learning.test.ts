import assert from "node:assert/strict";
import { test } from "node:test";
import { LearningAuthorizer, type Observation, parseObservation } from "./learning.ts";

type AuthorizationRequest = Parameters<LearningAuthorizer["authorize"]>[0];

function request(asked: Partial<AuthorizationRequest>, userName?: string): AuthorizationRequest {
  const client = {
    clientIdentifier: "lamp",
    userName,
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:1",
    listener: "mqtt://127.0.0.1:1883",
  } as const;
  return { client, action: "publish", topic: "a", qos: 0, retain: false, ...asked };
}

function learn(observationsMax?: number) {
  const noted: Observation[] = [];
  const told: string[] = [];
  const inner = {
    generation: 7,
    authorize: ({ topic, qos }: AuthorizationRequest) => {
      const decision = { allowed: topic !== "no", rule: "some rule" };
      return qos === 2 ? Promise.resolve(decision) : decision;
    },
  };
  const note = (observation: Observation) => noted.push(observation);
  const full = () => told.push("full");
  const authorizer = new LearningAuthorizer(inner, { note, full, observationsMax });
  return { authorizer, noted, told };
}

test("learning: decides as the authorizer behind it, at once or later", async () => {
  const { authorizer } = learn();
  assert.equal(authorizer.generation, 7);
  const rule = "some rule";
  assert.deepEqual(authorizer.authorize(request({})), { allowed: true, rule });
  assert.deepEqual(authorizer.authorize(request({ topic: "no" })), { allowed: false, rule });
  const later = authorizer.authorize(request({ qos: 2 }));
  assert.ok(later instanceof Promise);
  assert.deepEqual(await later, { allowed: true, rule });
});

test("learning: each distinct thing is noted once, what was refused too", async () => {
  const { authorizer, noted } = learn();
  const asked: [Partial<AuthorizationRequest>, string?][] = [
    [{}, "ada"],
    [{}, "ada"],
    [{ action: "will" }, "ada"],
    [{}],
    [{ qos: 2 }, "ada"],
    [{ retain: true }, "ada"],
    [{ action: "subscribe", topic: "a/#" }, "ada"],
    [{ topic: "no" }, "ada"],
  ];
  for (const [some, user] of asked) await authorizer.authorize(request(some, user));
  const plain = {
    clientIdentifier: "lamp",
    action: "publish",
    topic: "a",
    qos: 0,
    retain: false,
    allowed: true,
  };
  const ada = { user: "ada", ...plain };
  assert.deepEqual(noted, [
    ada,
    plain,
    { ...ada, qos: 2 },
    { ...ada, retain: true },
    { ...ada, action: "subscribe", topic: "a/#" },
    { ...ada, topic: "no", allowed: false },
  ]);
  for (const observation of noted) {
    assert.deepEqual(parseObservation(JSON.stringify(observation)), observation);
  }
});

test("learning: beyond its bound it notes nothing more, says so once, and decides as before", async () => {
  const { authorizer, noted, told } = learn(3);
  for (let index = 0; index < 10; index++) {
    for (const _ of [1, 2]) await authorizer.authorize(request({ topic: `t/${index}` }));
  }
  assert.deepEqual([noted.length, told], [3, ["full"]]);
  assert.equal(authorizer.generation, 7);
});

test("learning: a line that is no observation is none", () => {
  const whole =
    '{"clientIdentifier":"c","action":"publish","topic":"a","qos":0,"retain":false,"allowed":true}';
  assert.ok(parseObservation(whole));
  const lines = ["", "null", "7", "[]", whole.slice(0, -3), whole.replace('"qos":0', '"qos":3')];
  lines.push(whole.replace("publish", "will"), whole.replace('"topic":"a",', ""));
  lines.push(whole.replace("{", '{"user":7,'));
  for (const line of lines) assert.equal(parseObservation(line), undefined, line);
});
