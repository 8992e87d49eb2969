/** tstack cert: what it makes is what openssl and node:tls take for good, and what it revokes is refused. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { connect, createServer, type TlsOptions } from "node:tls";
import { run } from "../../src/cli/cert/cert.ts";
import { runInMemory } from "./memory-io.ts";

const root = mkdtempSync(path.join(tmpdir(), "cert-"));
after(() => rmSync(root, { recursive: true }));

const folder = path.join(root, "certs");
const out = ["--out", folder];
const at = (name: string) => path.join(folder, name);
const read = (name: string) => readFileSync(at(name), "utf8");

/** What it printed; it must go well. */
async function make(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInMemory(run, args);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

const openssl = (...args: readonly string[]) =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

await make("ca", "--name", "Home", ...out);
await make("server", "--host", "broker.example", "--host", "127.0.0.1", "--host", "::1", ...out);
await make("client", "--user", "ABC-123", ...out);

test("cert: openssl finds nothing wrong with what it made, strictly", () => {
  const verify = ["verify", "-x509_strict", "-CAfile", at("ca.crt")];
  openssl(
    ...verify,
    "-purpose",
    "sslserver",
    "-verify_hostname",
    "broker.example",
    at("server.crt"),
  );
  openssl(...verify, "-purpose", "sslserver", "-verify_ip", "::1", at("server.crt"));
  openssl(...verify, "-purpose", "sslclient", at("ABC-123.crt"));
  const asClient = spawnSync("openssl", [...verify, "-purpose", "sslclient", at("server.crt")]);
  assert.notEqual(asClient.status, 0, "a server's certificate is none of a client");
  const none = [...verify, "-verify_hostname", "other.example", at("server.crt")];
  assert.notEqual(spawnSync("openssl", none).status, 0);
});

test("cert: who it is, how long, and with which key", () => {
  const ca = new X509Certificate(read("ca.crt"));
  const server = new X509Certificate(read("server.crt"));
  const client = new X509Certificate(read("ABC-123.crt"));
  assert.deepEqual([ca.subject, ca.ca, server.ca, client.ca], ["CN=Home", true, false, false]);
  assert.deepEqual([server.subject, client.subject], ["CN=broker.example", "CN=ABC-123"]);
  assert.equal(
    server.subjectAltName,
    "DNS:broker.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  const days = (certificate: X509Certificate) =>
    Math.round((certificate.validToDate.getTime() - Date.now()) / 86_400_000);
  assert.deepEqual([days(ca), days(server), days(client)], [3650, 825, 825]);
  assert.equal(client.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.notEqual(server.serialNumber, client.serialNumber);
  assert.ok(server.serialNumber.length > 28, "16 random bytes");
});

test("cert: keys are their owner's alone, nothing lies about, nothing is overwritten", async () => {
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of ["ca.key", "server.key", "ABC-123.key"]) {
    assert.equal(statSync(at(name)).mode & 0o777, 0o600, name);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".")),
    [],
  );
  const before = read("ABC-123.key");
  const { code, stderr } = await runInMemory(run, ["client", "--user", "ABC-123", ...out]);
  assert.equal(code, 1);
  assert.match(stderr, /ABC-123\.crt is there already: --force replaces it\n$/);
  assert.equal(read("ABC-123.key"), before);
  assert.equal((await runInMemory(run, ["ca", ...out])).code, 1);
});

test("cert: no certificate outlives its CA", async () => {
  const short = ["--out", path.join(root, "short")];
  await make("ca", "--days", "10", ...short);
  await make("client", "--user", "a", "--days", "400", ...short);
  const ca = new X509Certificate(readFileSync(path.join(root, "short/ca.crt")));
  const client = new X509Certificate(readFileSync(path.join(root, "short/a.crt")));
  assert.equal(client.validTo, ca.validTo);
});

test("cert: names of users are text, and files stay in the folder", async () => {
  for (const user of ["../x", 'a,O=b+"c', "ö/#", "ca.", ".."]) {
    await make("client", "--user", user, ...out);
    const certificate = new X509Certificate(read(`${encodeURIComponent(user)}.crt`));
    assert.equal(certificate.toLegacyObject().subject.CN, user);
  }
  assert.deepEqual(readdirSync(root).sort(), ["certs", "short"]);
});

test("cert: an RSA key for old devices, from a CA of openssl", async () => {
  const folder = mkdtempSync(path.join(root, "rsa-"));
  const file = (name: string) => path.join(folder, name);
  openssl(
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=old/O=x", "-days", "9"],
    ...["-batch", "-keyout", file("ca.key"), "-out", file("ca.crt")],
  );
  await make("server", "--host", "h", "--key-type", "rsa", "--out", folder);
  openssl("verify", "-CAfile", file("ca.crt"), "-verify_hostname", "h", file("server.crt"));
  await make("revoke", file("server.crt"), "--out", folder);
  assert.match(
    openssl("crl", "-in", file("ca.crl"), "-CAfile", file("ca.crt"), "-noout", "-text"),
    /Serial Number/,
  );
  rmSync(folder, { recursive: true });
});

/** Whether a client with that certificate gets in at a server that asks for one, and looks at the list. */
async function getsIn(client: string): Promise<boolean> {
  const options: TlsOptions = {
    ...{ cert: read("server.crt"), key: read("server.key"), ca: read("ca.crt") },
    ...{ crl: read("ca.crl"), requestCert: true, rejectUnauthorized: true },
  };
  const server = createServer(options, (socket) => socket.end("in")).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const credentials = { cert: read(`${client}.crt`), key: read(`${client}.key`) };
  const socket = connect({ host: "127.0.0.1", port, ca: read("ca.crt"), ...credentials });
  let received = "";
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString();
  });
  socket.on("error", () => undefined); // the alert of the server; "close" follows
  await once(socket, "close");
  server.close();
  return received === "in";
}

test("cert: revoked is refused by node:tls and openssl, and nobody else is", async () => {
  await make("client", "--user", "lost", ...out);
  await make("client", "--user", "lost-too", ...out);
  assert.deepEqual(await Promise.all(["ABC-123", "lost"].map(getsIn)), [true, true]);
  assert.match(await make("revoke", at("lost.crt"), ...out), /is revoked in .*ca\.crl/);
  await make("revoke", at("lost-too.crt"), ...out);
  assert.match(await make("revoke", at("lost.crt"), ...out), /was revoked before/);
  assert.deepEqual(await Promise.all(["ABC-123", "lost", "lost-too"].map(getsIn)), [
    true,
    false,
    false,
  ]);
  const check = ["verify", "-CAfile", at("ca.crt"), "-CRLfile", at("ca.crl"), "-crl_check"];
  assert.notEqual(spawnSync("openssl", [...check, at("lost.crt")]).status, 0);
  openssl(...check, at("ABC-123.crt"));
  const { serialNumber } = new X509Certificate(read("lost.crt"));
  const shown = await make("show", at("ca.crl"));
  assert.match(shown, /^revoked by CN=Home, as of .*: 2$/m);
  assert.ok(shown.includes(serialNumber));
});

test("cert: show tells what --pin and people want to know", async () => {
  const shown = await make("show", at("server.crt"));
  const { fingerprint256 } = new X509Certificate(read("server.crt"));
  for (const words of [fingerprint256, "DNS:broker.example", "CN=Home", "itself"]) {
    assert.ok(shown.includes(words), words);
  }
});

test("cert: what does not belong together is told, and nothing is written", async () => {
  const folder = mkdtempSync(path.join(root, "mixed-"));
  writeFileSync(path.join(folder, "ca.crt"), read("ca.crt"));
  writeFileSync(path.join(folder, "ca.key"), read("server.key"));
  writeFileSync(path.join(folder, "no.crt"), "x");
  const mixed = ["--out", folder];
  for (const [args, exit, words] of [
    [["client", "--user", "a", ...mixed], 1, /is not the key of/],
    [["client", "--user", "a", "--out", path.join(root, "none")], 1, /ca\.crt: no such file/],
    [["revoke", path.join(root, "short/a.crt"), ...out], 1, /is not signed by the CA in/],
    [["show", path.join(folder, "no.crt")], 1, /is no certificate/],
    [["client", "--user", "x".repeat(65), ...out], 2, /1 to 64 characters/],
    [["client", "--user", "b", "--name", "../b", ...out], 2, /without a folder/],
    [["client", "--user", "ca", "--force", ...out], 2, /ca\.crt is the CA's/],
    [["server", ...out], 2, /add --host/],
    [["server", "--host", "https://h", ...out], 2, /a host name or an address/],
    [["server", "--host", "h", "--days", "0", ...out], 2, /a number from 1/],
    [["sign"], 2, /unknown command/],
  ] as const) {
    const { code, stdout, stderr } = await runInMemory(run, args);
    assert.deepEqual([code, stdout], [exit, ""], stderr);
    assert.match(stderr, words);
    assert.ok(!stderr.includes("PRIVATE KEY"));
  }
  assert.deepEqual(readdirSync(folder).sort(), ["ca.crt", "ca.key", "no.crt"]);
  rmSync(folder, { recursive: true });
});
