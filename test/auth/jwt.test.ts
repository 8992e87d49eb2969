/** Tokens that are right, of every family of algorithms and from every kind of key source. */
import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Grant } from "../../src/auth/grant.ts";
import { type JwtSettings, openJwtAuthenticator } from "../../src/auth/index.ts";
import { jwtAlgorithms } from "../../src/auth/jwt-algorithms.ts";
import { silentLog, systemClock } from "../../src/base/index.ts";
import { login, newFile, newKey, secret, soon, type TestKey, writeKeySet } from "./tokens.ts";

const world = { clock: systemClock, log: silentLog };
const open = (settings: JwtSettings) => openJwtAuthenticator(settings, world);

for (const alg of jwtAlgorithms) {
  test(`jwt: a token of ${alg} says who its client is`, async (context) => {
    const key = await newKey(alg, "one");
    const isSecret = key.jwk === undefined;
    const file = await newFile(context, isSecret ? `${secret}\n` : writeKeySet(key));
    const source = isSecret ? { secretFile: file } : { jwksFile: file };
    const link = await open({ ...source, algorithms: [alg] });
    const token = await key.sign({ sub: "ada" });
    for (const userName of [undefined, "ada"]) {
      const result = await link.authenticate(login(token, { userName }));
      assert.ok(result?.allowed, result?.rule);
      assert.equal(result.userName, "ada");
      assert.equal(result.grant, undefined);
      assert.doesNotMatch(JSON.stringify(result), /eyJ/);
      const milliseconds = (result.expiresAt ?? 0) - (soon + 5) * 1000;
      assert.ok(Math.abs(milliseconds) < 1000, `${milliseconds} ms off`);
    }
    const other = await newKey(alg, "one");
    const forged = isSecret ? `${token.slice(0, -6)}AAAAAA` : await other.sign({ sub: "ada" });
    const result = await link.authenticate(login(forged));
    assert.equal(result?.allowed, false);
    assert.match(result?.rule ?? "", /signature verification failed/);
  });
}

test("jwt: what is no token passes to the next link", async (context) => {
  const link = await open({ secretFile: await newFile(context, secret) });
  const words = Buffer.from('"word"').toString("base64url");
  for (const text of [
    "",
    "secret",
    "a.b",
    "a.b.c",
    `${words}.${words}.c`,
    "eyJ.x.y.z",
    "\0\xff..",
  ]) {
    assert.equal(await link.authenticate(login(text)), undefined, text);
  }
  const without = login("", { password: undefined, userName: "ada" });
  assert.equal(await link.authenticate(without), undefined);
});

test("jwt: rights come with the claim rights, all as they are written, also none", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({ secretFile: await newFile(context, secret) });
  const rights = ["home/#", { deny: "publish", filter: "alarm/%u", qos: [0], retain: true }];
  for (const list of [rights, []]) {
    const result = await link.authenticate(login(await sign({ sub: "ada", rights: list })));
    assert.ok(result?.allowed && result.grant instanceof Grant, result?.rule);
    assert.equal(result.grant.owner, 'the token of "ada"');
    const expected = [
      { effect: "allow", action: "both", filter: "home/#", source: "claim rights[0]" },
      {
        effect: "deny",
        action: "publish",
        filter: "alarm/%u",
        source: "claim rights[1]",
        qos: [0],
        retain: true,
      },
    ];
    assert.deepEqual(result.grant.rights, list.length === 0 ? [] : expected);
  }
});

test("jwt: names, client identifier and rights may be in other claims", async (context) => {
  const { sign } = await newKey("HS256");
  const link = await open({
    secretFile: await newFile(context, secret),
    userNameClaim: "device",
    clientIdentifierClaim: "client",
    rightsClaim: "https://example.org/mqtt",
  });
  const claims = { device: "d7", client: "c", "https://example.org/mqtt": ["d7/#"], rights: ["#"] };
  const result = await link.authenticate(login(await sign(claims)));
  assert.ok(result?.allowed && result.grant instanceof Grant, result?.rule);
  assert.equal(result.userName, "d7");
  assert.deepEqual(
    result.grant.rights.map(({ filter }) => filter),
    ["d7/#"],
  );
  for (const client of [undefined, "other", 7, ["c"]]) {
    const refused = await link.authenticate(login(await sign({ ...claims, client })));
    assert.match(refused?.rule ?? "", /claim client is not the client identifier/);
  }
});

test("jwt: a key set is read again when it changes, and a broken one keeps the old", async (context) => {
  const [first, second] = [await newKey("ES256", "one"), await newKey("ES256", "two")];
  const file = await newFile(context, writeKeySet(first));
  const errors: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) };
  const link = await openJwtAuthenticator({ jwksFile: file }, { ...world, log });
  const isAllowed = async ({ sign }: TestKey) =>
    (await link.authenticate(login(await sign({ sub: "ada" }))))?.allowed;
  assert.deepEqual([await isAllowed(first), await isAllowed(second)], [true, false]);
  await writeFile(`${file}.new`, writeKeySet(second));
  await rename(`${file}.new`, file);
  assert.deepEqual([await isAllowed(first), await isAllowed(second)], [false, true]);
  await writeFile(file, '{ "keys": "of the castle"');
  assert.deepEqual([await isAllowed(first), await isAllowed(second)], [false, true]);
  assert.equal(errors.length, 1);
  assert.doesNotMatch(errors[0], /castle/);
  await rm(file);
  assert.deepEqual([await isAllowed(first), await isAllowed(second)], [false, true]);
  assert.equal(errors.length, 2);
  await writeFile(file, writeKeySet(first, second));
  assert.deepEqual([await isAllowed(first), await isAllowed(second)], [true, true]);
});

test("jwt: a token that does not name its key may be of any of the set", async (context) => {
  const keys = [await newKey("RS256"), await newKey("RS256"), await newKey("RS256")];
  const link = await open({ jwksFile: await newFile(context, writeKeySet(keys[0], keys[1])) });
  const results: unknown[] = [];
  for (const { sign } of keys) {
    results.push((await link.authenticate(login(await sign({ sub: "ada" }))))?.allowed);
  }
  const expired = await link.authenticate(login(await keys[1].sign({ sub: "ada", exp: 1 })));
  assert.deepEqual(results, [true, true, false]);
  assert.match(expired?.rule ?? "", /exp/);
});

test("jwt: keys of a URL, asked once for many", async (context) => {
  const key = await newKey("PS256", "one");
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end(writeKeySet(key));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const link = await open({ jwksUrl, audience: "broker" });
  const token = await key.sign({ sub: "ada", aud: "broker" });
  const results = await Promise.all([1, 2, 3].map(() => link.authenticate(login(token))));
  assert.deepEqual(
    results.map((result) => result?.allowed),
    [true, true, true],
  );
  // A key that is not there is asked for once in 30 seconds.
  const unknown = await newKey("PS256", "two");
  const foreign = await unknown.sign({ sub: "ada", aud: "broker" });
  for (let count = 0; count < 5; count++) {
    assert.equal((await link.authenticate(login(foreign)))?.allowed, false);
  }
  assert.equal(asked, 1);
});
