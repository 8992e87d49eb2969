/** tregister against a real treg, and against servers that misbehave: each failure has its sentence and exit code. */
import assert from "node:assert/strict";
import { KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { run as runCert } from "../../src/cli/cert/cert.ts";
import { loadX509 } from "../../src/cli/cert/x509.ts";
import { run } from "../../src/cli/tregister.ts";
import { RegistrationWorld, runProgram } from "./registration-world.ts";

const world = await RegistrationWorld.open();
const treg = await world.startTreg();
after(async () => {
  await treg.stop();
  await world.close();
});
const { key } = await world.registrations.addKey({ name: "workshop" });
const url = treg.url.replace("127.0.0.1", "localhost");
const cafile = ["--cafile", world.file("certs/ca.crt")];
const good = { Name: "ABC-234", Password: "p", Broker: "mqtts://h:8883", Ca: "" };
let homes = 0;

/** A home folder of its own. */
function newHome(): string {
  const home = world.file(`home-${homes++}`);
  mkdirSync(home);
  return home;
}

const register = (home: string, args: readonly string[], stdin = key) =>
  runProgram(run, ["--key-stdin", ...args], { stdin: `${stdin}\n`, environment: { HOME: home } });

const uses = () => world.registrations.listKeys()[0].uses;

test("tregister: writes settings and CA for their owner alone, and prints the name", async () => {
  const home = newHome();
  const { code, stdout, stderr } = await register(home, [url, ...cafile]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[A-HJ-NP-Z]{3}-[2-9]{3}\n$/);
  const folder = path.join(home, ".config/tstack");
  const file = path.join(folder, "settings.yml");
  const { password, ...settings } = parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  assert.deepEqual(settings, {
    username: stdout.trim(),
    broker: "mqtts://localhost:8883",
    cacertfile: path.join(folder, "ca.crt"),
    verifytls: true,
  });
  assert.match(String(password), /^[\w-]{27}$/);
  assert.equal(readFileSync(path.join(folder, "ca.crt"), "utf8"), world.certificate("ca"));
  assert.deepEqual(readdirSync(folder).sort(), ["ca.crt", "settings.yml"], "nothing else");
  for (const [place, mode] of [
    [folder, 0o700],
    [file, 0o600],
  ] as const) {
    assert.equal(statSync(place).mode & 0o777, mode, place);
  }
  assert.ok(!`${stderr}${stdout}`.includes(String(password)));
  assert.ok(!`${stderr}${stdout}`.includes(key));
});

test("tregister: a registration is not overwritten, and treg not asked, unless forced", async () => {
  const home = newHome();
  const settings = ["--settings", path.join(home, "device.yml")];
  const first = await register(home, [url, ...cafile, ...settings]);
  assert.equal(first.code, 0);
  const before = uses();
  const { code, stderr } = await register(home, [url, ...cafile, ...settings]);
  assert.equal(code, 13);
  assert.match(stderr, /registered already, as .*device\.yml says: --force/);
  assert.equal(uses(), before);
  const again = await register(home, [url, ...cafile, ...settings, "--force"]);
  assert.equal(again.code, 0);
  assert.notEqual(again.stdout, first.stdout);
  assert.ok(readFileSync(settings[1], "utf8").includes(again.stdout.trim()));
  assert.ok(existsSync(path.join(home, "device.ca.crt")));
});

for (const name of ["ca", "server"]) {
  test(`tregister: the fingerprint of the ${name} certificate is enough`, async () => {
    const { fingerprint256 } = new X509Certificate(world.certificate(name));
    for (const pin of [
      fingerprint256,
      `sha256:${fingerprint256.replaceAll(":", "").toLowerCase()}`,
    ]) {
      const { code, stderr } = await register(newHome(), [url, "--pin", pin]);
      assert.equal(code, 0, stderr);
    }
  });
}

test("tregister: another pin, and the key is not sent", async () => {
  const before = treg.audit().length;
  const { code, stderr } = await register(newHome(), [url, "--pin", "ab".repeat(32)]);
  assert.equal(code, 6);
  assert.match(stderr, /shows another certificate than the pinned one: its SHA-256 is/);
  assert.equal(treg.audit().length, before);
});

/** A certificate for localhost that claims to be signed by the CA `pem`, with the key that signed it in truth. */
async function forge(pem: string): Promise<{ certificate: string; key: string }> {
  const x509 = await loadX509();
  const ca = new x509.X509Certificate(pem);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const forged = await x509.X509CertificateGenerator.create({
    subject: "CN=localhost",
    issuer: ca.subjectName,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  return { certificate: `${forged.toString("pem")}\n${pem}`, key: key.toString() };
}

test("tregister: who shows the pinned CA and was not signed by it does not get the key", async () => {
  const pem = world.certificate("ca");
  const { certificate, key: privateKey } = await forge(pem);
  let asked = 0;
  const server = createTlsServer({ cert: certificate, key: privateKey }, (_, response) => {
    asked++;
    response.end(JSON.stringify(good));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = `https://localhost:${(server.address() as AddressInfo).port}`;
  const { fingerprint256 } = new X509Certificate(pem);
  const { code, stderr } = await register(newHome(), [at, "--pin", fingerprint256]);
  assert.equal(code, 5, stderr);
  assert.equal(asked, 0);
  server.close();
});

test("tregister: where the key comes from", async () => {
  const file = world.file("key");
  writeFileSync(file, `${key}\n`);
  for (const [args, given] of [
    [["--key-file", file], {}],
    [[], { environment: { TSTACK_REGISTRATION_KEY: key } }],
    [[], { typed: key }],
  ] as const) {
    const environment = { HOME: newHome(), ...("environment" in given ? given.environment : {}) };
    const { code, stderr } = await runProgram(run, [url, ...cafile, ...args], {
      ...given,
      environment,
    });
    assert.equal(code, 0, stderr);
  }
  const { code, stderr } = await runProgram(run, [url], { environment: { HOME: newHome() } });
  assert.equal(code, 2);
  assert.match(stderr, /no registration key: give --key-stdin/);
});

test("tregister: who is not trusted, not there, or refuses", async () => {
  const port = new URL(url).port;
  const blocked = world.file("blocked");
  writeFileSync(blocked, "");
  for (const [exit, words, args, stdin] of [
    [2, /the address of treg is https/, ["localhost:8443"], key],
    [2, /over plain HTTP everyone/, ["http://broker.example:8080"], key],
    [2, /--pin takes the SHA-256/, [url, "--pin", "abc"], key],
    [2, /the registration key is empty/, [url], ""],
    [3, /this host name is unknown/, [`https://nobody.invalid:${port}`], key],
    [4, /connection refused/, ["https://localhost:1"], key],
    [4, /does treg listen there|no treg/, [`http://localhost:${port}`], key],
    [5, /not trusted: give its CA with --cafile/, [url], key],
    [8, /refuses the key/, [url, ...cafile], "guess"],
    [
      12,
      /cannot write .*treg was not asked/,
      [url, ...cafile, "--settings", `${blocked}/s.yml`],
      key,
    ],
  ] as const) {
    const before = uses();
    const home = newHome();
    const { code, stdout, stderr } = await register(home, args, stdin);
    assert.deepEqual([code, stdout], [exit, ""], stderr);
    assert.match(stderr, words);
    assert.equal(stderr.split("\n").length, 2, "one line");
    assert.equal(uses(), before);
    const left = readdirSync(home, { recursive: true }).filter((name) =>
      /yml|crt|part/.test(String(name)),
    );
    assert.deepEqual(left, []);
  }
});

test("tregister: a name that is not in the certificate", async () => {
  const other = await RegistrationWorld.open();
  const out = ["--force", "--out", other.file("certs")];
  await runProgram(runCert, ["server", "--host", "other.example", ...out]);
  const elsewhere = await other.startTreg();
  const at = elsewhere.url.replace("127.0.0.1", "localhost");
  const { code, stderr } = await register(newHome(), [at, "--cafile", other.file("certs/ca.crt")]);
  assert.equal(code, 5, stderr);
  assert.match(stderr, /the certificate is for another host name/);
  assert.deepEqual(elsewhere.audit(), []);
  await elsewhere.stop();
  await other.close();
});

for (const [what, exit, answer] of [
  ["400", 7, { status: 400, body: "{}" }],
  ["429", 9, { status: 429, body: "{}" }],
  ["503", 10, { status: 503, body: "{}" }],
  ["404", 11, { status: 404, body: "{}" }],
  ["a page", 11, { status: 200, body: "<html>" }],
  ["no name", 11, { status: 200, body: JSON.stringify({ ...good, Name: "" }) }],
  ["a name with a line feed", 11, { status: 200, body: JSON.stringify({ ...good, Name: "a\nb" }) }],
  ["no broker", 11, { status: 200, body: JSON.stringify({ ...good, Broker: "nonsense" }) }],
  ["no CA", 11, { status: 200, body: JSON.stringify({ ...good, Ca: "nonsense" }) }],
  ["all that is needed", 0, { status: 200, body: JSON.stringify(good) }],
] as const) {
  test(`tregister: an answer with ${what} ends with ${exit}`, async () => {
    const at = await serve((response) => {
      response.writeHead(answer.status, { "retry-after": "7" }).end(answer.body);
    });
    const home = newHome();
    const { code, stderr } = await register(home, [at.url]);
    assert.equal(code, exit, stderr);
    if (exit === 9) assert.match(stderr, /try again in 7 seconds/);
    assert.equal(existsSync(path.join(home, ".config/tstack/settings.yml")), exit === 0);
    assert.equal(existsSync(path.join(home, ".config/tstack/ca.crt")), false);
    at.close();
  });
}

test("tregister: what cannot be kept after all is told with its name", async () => {
  const home = newHome();
  const settings = path.join(home, "s.yml");
  const at = await serve((response) => {
    mkdirSync(settings); // what was free when it was looked at
    response.end(JSON.stringify(good));
  });
  const { code, stderr } = await register(home, [at.url, "--settings", settings]);
  assert.equal(code, 12);
  assert.match(
    stderr,
    /^tregister: registered as ABC-234, but cannot write .*tuser remove ABC-234/,
  );
  assert.deepEqual(readdirSync(home), ["s.yml"]);
  at.close();
});

async function serve(respond: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => respond(response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
