import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode, silentLog } from "../base/index.ts";
import type { AuthenticationRequest } from "../broker/index.ts";
import { type AuthenticationLink, AuthenticatorChain } from "./authenticator-chain.ts";

const request: AuthenticationRequest = {
  clientIdentifier: "c",
  userName: "ada",
  password: Buffer.from("secret"),
  protocolVersion: 5,
  remoteAddress: "127.0.0.1:50000",
  listener: "mqtt://127.0.0.1:1883",
};

const asked: string[] = [];

function link(name: string, authenticate: AuthenticationLink["authenticate"]): AuthenticationLink {
  return {
    name,
    authenticate(given) {
      asked.push(name);
      return authenticate(given);
    },
  };
}

const passes = link("passes", () => undefined);
const passesLater = link("passes later", async () => undefined);
const allows = link("allows", () => ({ allowed: true, userName: "ada", rule: "as a test says" }));
const refuses = link("refuses", async () => ({
  allowed: false,
  reasonCode: ReasonCode.banned,
  rule: "as a test says",
}));

test("chain: the first link that decides has decided, yes or no, now or later", async () => {
  for (const [links, expected] of [
    [[passes, passesLater, allows, refuses], "passes, passes later, allows"],
    [[passesLater, refuses, allows], "passes later, refuses"],
  ] as const) {
    asked.length = 0;
    const result = await new AuthenticatorChain(links).authenticate(request);
    assert.equal(asked.join(", "), expected);
    assert.equal(result.rule, "as a test says");
  }
});

test("chain: what no link decides is refused, with another reason for who gave no name", async () => {
  for (const links of [[passes, passesLater], []]) {
    const chain = new AuthenticatorChain(links);
    const named = await chain.authenticate(request);
    assert.ok(!named.allowed);
    assert.equal(named.reasonCode, ReasonCode.badUserNameOrPassword);
    const nameless = await chain.authenticate({ ...request, userName: undefined });
    assert.ok(!nameless.allowed);
    assert.equal(nameless.reasonCode, ReasonCode.notAuthorized);
  }
});

test("chain: a link that throws, rejects or answers nonsense refuses for all that follow, and is logged", async () => {
  const nonsense = (value: unknown) =>
    link("broken", () => value as ReturnType<AuthenticationLink["authenticate"]>);
  const broken = [
    link("broken", () => {
      throw new Error("the database is gone");
    }),
    link("broken", () => Promise.reject(new Error("the database is gone"))),
    nonsense(true),
    nonsense(null),
    nonsense({}),
    nonsense({ allowed: "yes", userName: "ada" }),
  ];
  for (const failing of broken) {
    const logged: object[] = [];
    const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
    asked.length = 0;
    const chain = new AuthenticatorChain([passes, failing, allows], log);
    const result = await chain.authenticate(request);
    assert.ok(!result.allowed);
    assert.equal(result.reasonCode, ReasonCode.serverUnavailable);
    assert.deepEqual(asked, ["passes", "broken"]);
    assert.equal(logged.length, 1);
    assert.partialDeepStrictEqual(logged[0], { link: "broken", clientIdentifier: "c" });
    assert.doesNotMatch(JSON.stringify(logged), /secret/);
  }
});
