import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../base/index.ts";
import type { AuthenticationRequest, ClientCertificate } from "../broker/index.ts";
import { CertificateAuthenticator, type CertificateName } from "./certificate-authenticator.ts";
import type { KnownUser } from "./known-user.ts";
import { type Credential, PasswordVerifier } from "./password-verifier.ts";

const users = [
  newUser("device-7", undefined),
  newUser("ada", { password: "secret" }),
  { ...newUser("eve", undefined), isEnabled: false },
  newUser("heating.example", undefined),
  newUser("ada@example.org", undefined),
  newUser("urn:device:7", undefined),
];

function newUser(name: string, credential: Credential | undefined): KnownUser {
  return { name, credential, scram: undefined, isEnabled: true, source: "the broker's store" };
}

function newLink(userName?: CertificateName): CertificateAuthenticator {
  return new CertificateAuthenticator({
    users: { find: (wanted) => users.find(({ name }) => name === wanted) },
    verifier: new PasswordVerifier(undefined),
    userName,
  });
}

function certify(commonName?: string, ...subjectAlternativeNames: string[]): ClientCertificate {
  return { commonName, subjectAlternativeNames, serialNumber: "0A", fingerprint: "FF" };
}

function login(given: Partial<AuthenticationRequest>): AuthenticationRequest {
  return {
    clientIdentifier: "c",
    userName: undefined,
    password: undefined,
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:50000",
    listener: "mqtts://127.0.0.1:8883",
    ...given,
  };
}

test("certificate: without one it passes to the next link", async () => {
  const request = login({ userName: "ada", password: Buffer.from("secret") });
  assert.equal(await newLink().authenticate(request), undefined);
});

test("certificate: its name is the user, with no user name or the same", async () => {
  const clientCertificate = certify("device-7");
  for (const userName of [undefined, "device-7"]) {
    assert.deepEqual(await newLink().authenticate(login({ clientCertificate, userName })), {
      allowed: true,
      userName: "device-7",
      rule: 'certificate 0A of user "device-7", the broker\'s store',
    });
  }
});

test("certificate: the first alternative name of the kind that is asked for counts", async () => {
  const clientCertificate = certify(
    "device-7",
    "IP Address:192.0.2.7",
    "email:ada@example.org",
    "DNS:heating.example",
    "DNS:eve",
    "URI:urn:device:7",
  );
  for (const [kind, userName] of [
    ["cn", "device-7"],
    ["san:DNS", "heating.example"],
    ["san:email", "ada@example.org"],
    ["san:URI", "urn:device:7"],
  ] as const) {
    const result = await newLink(kind).authenticate(login({ clientCertificate }));
    assert.ok(result?.allowed, kind);
    assert.equal(result.userName, userName);
  }
});

test("certificate: whoever shows one that names no user who may come in is refused, whatever else is right", async () => {
  for (const [kind, clientCertificate, userName, rule] of [
    ["cn", certify("nobody"), undefined, /there is no such user/],
    ["cn", certify("eve"), undefined, /disabled/],
    ["cn", certify(undefined), undefined, /no name of kind cn/],
    ["cn", certify(""), undefined, /no name of kind cn/],
    ["cn", certify("device-7"), "ada", /not of the user name given/],
    ["cn", certify("device-7"), "", /not of the user name given/],
    ["san:DNS", certify("device-7", "email:device-7"), undefined, /no name of kind san:DNS/],
    ["san:DNS", certify("device-7", "DNS:"), undefined, /no name of kind san:DNS/],
  ] as const) {
    const request = login({ clientCertificate, userName, password: Buffer.from("secret") });
    const result = await newLink(kind).authenticate(request);
    assert.ok(result !== undefined && !result.allowed, rule.source);
    assert.equal(result.reasonCode, ReasonCode.notAuthorized);
    assert.match(result.rule, rule);
  }
});

test("certificate: a password that is given as well must be right too", async () => {
  const clientCertificate = certify("ada");
  for (const [password, isAllowed] of [
    ["secret", true],
    ["", true],
    ["wrong", false],
  ] as const) {
    const request = login({ clientCertificate, password: Buffer.from(password) });
    assert.equal((await newLink().authenticate(request))?.allowed, isAllowed, password);
  }
  const nothingToCompare = login({
    clientCertificate: certify("device-7"),
    password: Buffer.from("anything"),
  });
  const result = await newLink().authenticate(nothingToCompare);
  assert.ok(result !== undefined && !result.allowed);
  assert.equal(result.reasonCode, ReasonCode.badUserNameOrPassword);
});
