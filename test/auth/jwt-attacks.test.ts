/** Tokens and key sources that lie: all are refused, and nothing else is tried with them. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import {
  CompactSign,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  UnsecuredJWT,
} from "jose";
import { AuthenticatorChain } from "../../src/auth/authenticator-chain.ts";
import { Grant } from "../../src/auth/grant.ts";
import { type JwtSettings, openJwtAuthenticator } from "../../src/auth/index.ts";
import { decide } from "../../src/auth/rights.ts";
import { ReasonCode, silentLog, systemClock } from "../../src/base/index.ts";
import { login, newFile, newKey, secret, soon, writeKeySet } from "./tokens.ts";

const world = { clock: systemClock, log: silentLog };
const open = (settings: JwtSettings) => openJwtAuthenticator(settings, world);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const ada = { sub: "ada", exp: soon };

async function assertRefused(
  link: Awaited<ReturnType<typeof open>>,
  token: string,
  rule: RegExp,
): Promise<void> {
  const result = await link.authenticate(login(token));
  assert.ok(result !== undefined && !result.allowed, `${rule} let in, or passed: ${result?.rule}`);
  assert.equal(result.reasonCode, ReasonCode.notAuthorized);
  assert.match(result.rule, rule);
  const [, claims] = token.split(".");
  assert.ok(claims === "" || !result.rule.includes(claims), "the rule quotes the token");
}

test("jwt attacks: none, and every algorithm that is not asked for", async (context) => {
  const rsa = await newKey("RS256", "one");
  const jwksFile = await newFile(context, writeKeySet(rsa));
  const link = await open({ jwksFile, algorithms: ["RS256"] });
  await assertRefused(link, new UnsecuredJWT(ada).encode(), /alg/);
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    "RS1",
    "constructor",
    null,
    7,
    ["RS256"],
  ]) {
    const [, claims, signature] = (await rsa.sign(ada)).split(".");
    await assertRefused(link, `${encode({ alg })}.${claims}.${signature}`, /./);
    await assertRefused(link, `${encode({ alg })}.${claims}.`, /./);
  }
  const stronger = await newKey("RS512", "one");
  await assertRefused(link, await stronger.sign(ada), /alg/);
  await assertRefused(link, `${encode({})}.${encode(ada)}.x`, /./);
});

test("jwt attacks: a public key is never a secret", async (context) => {
  const { publicKey } = await generateKeyPair("RS256", { extractable: true });
  const rsa = await newKey("RS256", "one");
  const link = await open({ jwksFile: await newFile(context, writeKeySet(rsa)) });
  const known = [
    await exportSPKI(publicKey),
    await exportSPKI((await importJWK(rsa.jwk ?? {}, "RS256")) as typeof publicKey),
    JSON.stringify(rsa.jwk),
    writeKeySet(rsa),
    (rsa.jwk as { n: string }).n,
  ];
  for (const text of known) {
    for (const key of [text, `${text}\n`, text.trim()]) {
      const token = await new CompactSign(Buffer.from(JSON.stringify(ada)))
        .setProtectedHeader({ alg: "HS256", kid: "one" })
        .sign(Buffer.from(key));
      await assertRefused(link, token, /alg/);
    }
  }
  // A secret among public keys is not used either.
  const oct = { kty: "oct", kid: "shared", k: Buffer.from(secret).toString("base64url") };
  const mixed = await open({
    jwksFile: await newFile(context, JSON.stringify({ keys: [rsa.jwk, oct] })),
  });
  const hs = await newKey("HS256", "shared");
  await assertRefused(mixed, await hs.sign(ada), /alg/);
});

test("jwt attacks: keys that the token brings along, and keys that nobody knows", async (context) => {
  const [real, own] = [await newKey("ES256", "one"), await newKey("ES256", "one")];
  const link = await open({ jwksFile: await newFile(context, writeKeySet(real)) });
  const url = "https://192.0.2.1/keys";
  for (const header of [{ jwk: own.jwk }, { jku: url }, { x5u: url }, { x5c: ["AAAA"] }]) {
    await assertRefused(link, await own.sign(ada, header), /signature verification failed/);
  }
  const kids = ["two", "", "../../dev/null", "' or 1=1 --", "__proto__", 7, ["one"], { one: 1 }];
  for (const kid of kids) {
    await assertRefused(link, await own.sign(ada, { kid }), /./);
  }
  const bent = await real.sign(ada);
  const [header, claims, signature] = bent.split(".");
  const zeros = Buffer.alloc(64).toString("base64url");
  await assertRefused(link, `${header}.${encode({ ...ada, sub: "root" })}.${signature}`, /verif/);
  await assertRefused(link, `${header}.${claims}.${zeros}`, /verif/);
  await assertRefused(link, `${header}.${claims}.`, /verif/);
});

test("jwt attacks: dates, issuer, audience, critical headers", async (context) => {
  const { sign } = await newKey("HS256");
  const now = Math.floor(Date.now() / 1000);
  const link = await open({
    secretFile: await newFile(context, secret),
    issuer: "https://issuer.example",
    audience: ["broker", "spare"],
  });
  const right = { ...ada, iss: "https://issuer.example", aud: ["x", "spare"] };
  assert.equal((await link.authenticate(login(await sign(right))))?.allowed, true);
  const inTolerance = await sign({ ...right, exp: now - 2, nbf: now + 2 });
  assert.equal((await link.authenticate(login(inTolerance)))?.allowed, true);
  const wrong: [object, RegExp][] = [
    [{ exp: now - 60 }, /exp/],
    [{ exp: undefined }, /exp/],
    [{ exp: `${soon}` }, /exp/],
    [{ exp: null }, /exp/],
    [{ exp: 0 }, /exp/],
    [{ exp: -soon }, /exp/],
    [{ nbf: now + 60 }, /nbf/],
    [{ nbf: "soon" }, /nbf/],
    [{ iss: undefined }, /iss/],
    [{ iss: "https://issuer.example/" }, /iss/],
    [{ iss: ["https://issuer.example"] }, /iss/],
    [{ aud: undefined }, /aud/],
    [{ aud: [] }, /aud/],
    [{ aud: "brokers" }, /aud/],
    [{ aud: { broker: 1 } }, /aud/],
  ];
  for (const [claims, rule] of wrong) {
    await assertRefused(link, await sign({ ...right, ...claims }), rule);
  }
  const [, claims, signature] = (await sign(right)).split(".");
  const critical = encode({ alg: "HS256", crit: ["x"], x: 1 });
  await assertRefused(link, `${critical}.${claims}.${signature}`, /x/);
});

test("jwt attacks: a lifetime without end is still a time that the broker can wait for", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({ secretFile: await newFile(context, secret) });
  const result = await link.authenticate(login(await sign({ sub: "ada", exp: 1e300 })));
  assert.ok(result?.allowed && Number.isSafeInteger(Math.floor(result.expiresAt ?? 0)));
});

test("jwt attacks: names that are none, and another user's name", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({ secretFile: await newFile(context, secret) });
  const names = [undefined, "", null, 7, true, ["ada"], { ada: 1 }, "a\0b", "a\nb", "a\u009f"];
  for (const sub of names) {
    await assertRefused(link, await sign({ exp: soon, sub } as JWTPayload), /claim sub/);
  }
  await assertRefused(link, await sign({ exp: soon, sub: "x".repeat(7000) }), /8192/);
  const token = await sign(ada);
  for (const userName of ["root", "", "Ada", "ada "]) {
    const result = await link.authenticate(login(token, { userName }));
    assert.match(result?.rule ?? "", /is not the user name that the client gives/);
  }
  const prototype = await open({
    secretFile: await newFile(context, secret),
    userNameClaim: "toString",
  });
  await assertRefused(prototype, token, /claim toString is missing/);
});

test("jwt attacks: a name with wildcards widens no right", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({ secretFile: await newFile(context, secret) });
  for (const sub of ["+", "#", "ada/#", "$SYS", "+/+"]) {
    const result = await link.authenticate(login(await sign({ sub, rights: ["%u/#"] })));
    assert.ok(result?.allowed && result.grant instanceof Grant, result?.rule);
    const client = { ...login(""), userName: result.userName };
    for (const topic of ["ada/x", "#", "+/x", "$SYS/x"]) {
      const request = { client, action: "subscribe", topic, qos: 0, retain: false } as const;
      const decision = decide(result.grant.rights, result.grant.owner, request);
      assert.equal(decision.allowed, false, `${sub} ${topic}: ${decision.rule}`);
    }
  }
});

test("jwt attacks: one wrong right refuses the whole token", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({ secretFile: await newFile(context, secret) });
  const wrong: unknown[] = [
    "#",
    { "0": "#" },
    7,
    null,
    ["ok", ""],
    ["ok", "a#"],
    ["ok", 7],
    ["ok", null],
    ["ok", ["#"]],
    ["ok", { allow: "all", filter: "#" }],
    ["ok", { allow: "both", deny: "both", filter: "#" }],
    ["ok", { filter: "#" }],
    ["ok", { deny: "both", filters: "secret/#" }],
    ["ok", { allow: "both", filter: "#", qos: 3 }],
    ["ok", "$share/g/#"],
    ["a\0b"],
    new Array(1001).fill("a"),
  ];
  for (const rights of wrong) {
    await assertRefused(link, await sign({ ...ada, rights }), /claim rights/);
  }
});

test("jwt attacks: a disabled user stays out, and tokens have at most 8 KB", async (context) => {
  const { sign } = await newKey("HS256");
  const users = {
    find: (name: string) => ({ ...eve, name, isEnabled: name !== "eve" }),
  };
  const eve = { credential: undefined, scram: undefined, source: "the broker's store" };
  const file = await newFile(context, secret);
  const link = await openJwtAuthenticator({ secretFile: file }, { ...world, users });
  await assertRefused(link, await sign({ ...ada, sub: "eve" }), /"eve" is disabled/);
  await assertRefused(link, await sign({ ...ada, padding: "x".repeat(8192) }), /8192 bytes/);
  assert.equal((await link.authenticate(login(await sign(ada))))?.allowed, true);
});

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?key=hidden`;
}

test("jwt attacks: a key service that lies is unavailable, and no other link is asked", async (context) => {
  const key = await newKey("ES256", "one");
  const token = await key.sign({ ...ada, aud: "broker" });
  const real = await serve(context, (_, response) => response.end(writeKeySet(key)));
  const weak = { kty: "RSA", kid: "one", n: "AQAB", e: "AQAB" };
  const broken = { ...key.jwk, x: "AAAA" };
  const lies: RequestListener[] = [
    (_, response) => response.writeHead(302, { location: real }).end(),
    (_, response) => response.writeHead(500).end(writeKeySet(key)),
    (_, response) => response.end("<html>"),
    (_, response) => response.end('{"keys": 7}'),
    (_, response) => response.end(JSON.stringify({ keys: [broken] })),
    (_, response) => response.end(`{"keys":[],"x":"${"x".repeat(300_000)}"}`),
    (request) => request.socket.destroy(),
  ];
  const next = { name: "next", authenticate: () => assert.fail("another link was asked") };
  for (const lie of lies) {
    const link = await open({ jwksUrl: await serve(context, lie), audience: "broker" });
    const result = await new AuthenticatorChain([link, next]).authenticate(login(token));
    assert.ok(!result.allowed);
    assert.equal(result.reasonCode, ReasonCode.serverUnavailable, `${lie}`);
    assert.doesNotMatch(result.rule, /hidden/);
  }
  const file = await newFile(context, JSON.stringify({ keys: [weak] }));
  const link = await open({ jwksFile: file });
  const rsa = await newKey("RS256", "one");
  const result = await new AuthenticatorChain([link, next]).authenticate(
    login(await rsa.sign(ada)),
  );
  assert.equal(result.allowed, false);
});

test("jwt: settings that would let in too many are refused", async (context) => {
  const file = await newFile(context, secret);
  const short = await newFile(context, "short secret\n");
  const hidden = await newFile(context, '{ "k": "hidden"');
  const keys = await newFile(context, writeKeySet(await newKey("RS256", "one")));
  const wrong: [JwtSettings, RegExp][] = [
    [{}, /exactly one/],
    [{ secretFile: file, jwksFile: keys }, /exactly one/],
    [{ secretFile: file, algorithms: ["RS256"] }, /RS256 does not go with a secret/],
    [{ jwksFile: keys, algorithms: ["RS256", "HS256"] }, /HS256 does not go with public keys/],
    [{ jwksFile: keys, algorithms: [] }, /names none/],
    [{ jwksFile: keys, algorithms: ["none" as "RS256"] }, /none is not one of/],
    [{ jwksFile: file }, /cannot be used/],
    [{ jwksFile: hidden }, /cannot be used/],
    [{ secretFile: short }, /12 bytes/],
    [{ secretFile: await newFile(context, "\n") }, /empty/],
    [{ secretFile: await newFile(context, "s".repeat(63)), algorithms: ["HS512"] }, /63 bytes/],
    [{ secretFile: `${file}-not-there` }, /cannot be used/],
    [{ jwksUrl: "http://192.0.2.1/keys", audience: "x" }, /not encrypted/],
    [{ jwksUrl: "http://127.evil.example/keys", audience: "x" }, /not encrypted/],
    [{ jwksUrl: "https://u:p@example.org/keys", audience: "x" }, /holds a user name/],
    [{ jwksUrl: "file:///etc/passwd", audience: "x" }, /not a URL/],
    [{ jwksUrl: "https://issuer.example/keys" }, /need an audience/],
    [{ jwksUrl: "https://issuer.example/keys", audience: [] }, /need an audience/],
  ];
  for (const [settings, message] of wrong) {
    await assert.rejects(open(settings), { code: "CONFIGURATION_INVALID", message });
    await assert.rejects(open(settings), (error: Error) => !/hidden|sss/.test(error.message));
  }
});
