import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthenticationRequest } from "../broker/index.ts";
import { AnonymousAuthenticator, type AnonymousRights } from "./anonymous-authenticator.ts";
import { Grant } from "./grant.ts";

const anonymous: AnonymousRights = {
  rights: [{ effect: "allow", action: "both", filter: "open/#", source: "anonymous.rights[0]" }],
  source: "anonymous clients are allowed",
};

function login(userName?: string): AuthenticationRequest {
  return {
    clientIdentifier: "c",
    userName,
    password: undefined,
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:50000",
    listener: "mqtt://127.0.0.1:1883",
  };
}

test("anonymous: a client without a user name comes in with the rights of anonymous clients", () => {
  const result = new AnonymousAuthenticator({ allowed: () => anonymous }).authenticate(login());
  assert.ok(result?.allowed);
  assert.equal(result.userName, undefined);
  assert.equal(result.rule, "anonymous clients are allowed");
  assert.ok(result.grant instanceof Grant);
  assert.equal(result.grant.owner, "anonymous clients (anonymous clients are allowed)");
  assert.equal(result.grant.rights, anonymous.rights);
});

test("anonymous: where they are not allowed, and with a user name that has to be proven, it passes", () => {
  const closed = new AnonymousAuthenticator({ allowed: () => undefined, hasUsers: () => false });
  assert.equal(closed.authenticate(login()), undefined);
  assert.equal(closed.authenticate(login("ada")), undefined);
  const open = new AnonymousAuthenticator({ allowed: () => anonymous });
  assert.equal(open.authenticate(login("eve")), undefined);
  assert.equal(open.authenticate(login("")), undefined);
});

test("anonymous: without users a name is not checked and not believed", () => {
  const link = new AnonymousAuthenticator({ allowed: () => anonymous, hasUsers: () => false });
  const result = link.authenticate(login("ada"));
  assert.ok(result?.allowed);
  assert.equal(result.userName, undefined);
  assert.match(result.rule, /not checked/);
});

test("anonymous: the first user takes the rights of those who are connected, and lets no other in", () => {
  const users = new Set<string>();
  const link = new AnonymousAuthenticator({
    allowed: () => (users.size === 0 ? anonymous : undefined),
    hasUsers: () => users.size > 0,
  });
  const result = link.authenticate(login("ada"));
  assert.ok(result?.allowed && result.grant instanceof Grant);
  assert.equal(result.grant.rights.length, 1);
  users.add("ada");
  assert.deepEqual(result.grant.rights, []);
  assert.equal(link.authenticate(login("ada")), undefined);
  assert.equal(link.authenticate(login()), undefined);
});
