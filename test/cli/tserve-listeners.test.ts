/** One tserve with listeners that differ in all that they can: who comes in, how, and to which topics. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { makeCertificates } from "./certificates.ts";
import { RunningProgram } from "./programs.ts";
import { runServe, ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

const where = { skip };
const folder = mkdtempSync(path.join(tmpdir(), "tserve-listeners-"));
const certificates = {
  ca: path.join(folder, "ca.crt"),
  cert: path.join(folder, "server.crt"),
  key: path.join(folder, "server.key"),
};
let server: ServeProcess;

before(async () => {
  makeCertificates(folder);
  const { ca, cert, key } = certificates;
  server = await ServeProcess.start({
    args: ["--log-format", "json"],
    yaml: `listen:
  - url: mqtts://127.0.0.1:0
    tls: { cert: ${cert}, key: ${key}, ca: ${ca}, clientCertificates: required }
    authentication: [certificate]
  - mqtt://127.0.0.1:0
  - url: mqtt://127.0.0.1:0
    authentication: [anonymous]
    allowAnonymous: true
    anonymous: { rights: [{ allow: subscribe, filter: public/# }] }
    mountPoint: public/
    refusedPublish: disconnect
    limits: { packetBytesMax: 100 }
users:
  - { name: client, rights: "devices/%u/#" }
  - { name: ada, password: geheim, rights: "#" }
`,
  });
});
after(async () => {
  assert.equal((await server.stop()).code, 0);
  rmSync(folder, { recursive: true });
});

/** What a client of mosquitto's says of one publish on the listener with that index. */
async function publish(listener: number, ...args: readonly string[]): Promise<string> {
  const to = ["-h", listener === 0 ? "localhost" : "127.0.0.1"];
  const defaults = [
    ...(args.includes("-V") ? [] : ["-V", "5"]),
    ...(args.includes("-m") ? [] : ["-m", "x"]),
  ];
  const all = [...to, "-p", String(server.ports[listener]), "-q", "1", ...defaults, ...args];
  const { code, stderr } = await new RunningProgram("mosquitto_pub", all, { stdin: "" }).ended;
  return stderr.includes("Publish 1 failed: Not authorized") ? "not authorized" : `${code}`;
}

const withCertificate = [
  ...["--cafile", path.join(folder, "ca.crt")],
  ...["--cert", path.join(folder, "client.crt"), "--key", path.join(folder, "client.key")],
];

test(
  "tserve: a listener for clients with a certificate of the CA, whose common name is the user",
  where,
  async () => {
    assert.equal(await publish(0, ...withCertificate, "-t", "devices/client/x"), "0");
    assert.equal(await publish(0, ...withCertificate, "-t", "devices/other/x"), "not authorized");
    const withoutOne = withCertificate.slice(0, 2);
    assert.notEqual(await publish(0, ...withoutOne, "-t", "devices/client/x"), "0");
    // Neither a name nor a password is worth anything here without one.
    const login = ["-u", "ada", "-P", "geheim"];
    assert.notEqual(await publish(0, ...withoutOne, ...login, "-t", "devices/client/x"), "0");
    assert.equal(await publish(0, ...withCertificate, "-u", "ada", "-t", "x"), `${0x87}`);
  },
);

test("tserve: a listener for users only, beside it", where, async () => {
  assert.equal(await publish(1, "-u", "ada", "-P", "geheim", "-t", "x"), "0");
  assert.equal(await publish(1, "-t", "x"), `${0x87}`);
  assert.equal(await publish(1, "-u", "client", "-P", "", "-t", "devices/client/x"), `${0x86}`);
  // Only the listener for certificates asks for one.
  assert.equal(await publish(1, "-u", "client", "-t", "devices/client/x"), `${0x86}`);
});

test(
  "tserve: a listener for guests, who read below its mount point and write nothing",
  where,
  async () => {
    const port = String(server.ports[2]);
    const to = ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-d", "-v", "-t", "#"];
    const guest = new RunningProgram("stdbuf", to, { stdin: "" });
    const ada = ["-u", "ada", "-P", "geheim"];
    try {
      await guest.saw("received SUBACK", "stdout");
      assert.equal(await publish(1, ...ada, "-t", "private/x", "-m", "hidden"), "0");
      assert.equal(await publish(1, ...ada, "-t", "public/x", "-m", "shown"), "0");
      await guest.saw("\nx shown\n", "stdout");
      assert.doesNotMatch(guest.bytes.toString(), /private|hidden/);
    } finally {
      guest.child.kill();
      await guest.ended;
    }
    assert.equal(await publish(2, "-t", "x"), "not authorized");
    assert.equal(await publish(2, "-V", "311", "-t", "x"), "7"); // the connection was lost
    assert.equal(await publish(2, ...ada, "-t", "x"), `${0x86}`);
    // Its own limit of bytes, which a 3.x client is not told.
    const long = ["-V", "311", "-m", "y".repeat(200)];
    assert.equal(await publish(1, ...ada, "-t", "x", ...long), "0");
    assert.equal(await publish(2, "-t", "x", ...long), "7");
    await server.logged(/this broker takes up to 100 \(packetBytesMax\)/);
  },
);

test("tserve: the welcome says of each listener who may come in", () => {
  const [first, second, third] = server.ports;
  for (const text of [
    `who may connect: mqtts://127.0.0.1:${first}: users with a client certificate, all with a certificate of the CA`,
    `who may connect: mqtt://127.0.0.1:${second}: 2 users of the configuration`,
    `who may connect: mqtt://127.0.0.1:${third}: anyone, without a password`,
  ]) {
    assert.ok(server.output.includes(text), `${text}\nis not in\n${server.output}`);
  }
});

test("tserve --cert and --key encrypt every mqtts listener", where, async () => {
  const tls = ["--cert", certificates.cert, "--key", certificates.key];
  const secure = await ServeProcess.start({ args: [...tls, "--listen", "mqtts://127.0.0.1:0"] });
  try {
    const to = ["-h", "localhost", "-p", String(secure.ports[1]), "--cafile", certificates.ca];
    const args = [...to, "-t", "a", "-m", "x", "-q", "1"];
    assert.equal((await new RunningProgram("mosquitto_pub", args, { stdin: "" }).ended).code, 0);
  } finally {
    await secure.stop();
  }
  const broken = path.join(folder, "broken.key");
  writeFileSync(broken, "no key");
  const listen = ["--listen", "mqtts://127.0.0.1:0", "--cert", certificates.cert];
  const { code, stderr } = await runServe([...listen, "--key", broken]);
  assert.equal(code, 1);
  assert.match(stderr, /^tserve: [^\n]*broken\.key[^\n]*\n$/);
});

test("tserve: a token lets in, with the rights that stand in it", where, async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const secretFile = path.join(folder, "secret");
  writeFileSync(secretFile, `${secret}\n`);
  const yaml = `authentication: { jwt: { secretFile: ${secretFile} } }\nlisten: [mqtt://0.0.0.0:0]\n`;
  const tokens = await ServeProcess.start({ yaml, args: ["--log-format", "json"] });
  try {
    assert.match(tokens.output, /who may connect: whoever has a token \(JWT\)/);
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = sign({ sub: "ada", exp, rights: ["home/#"] }, secret);
    const login = ["-V", "5", "-u", "ada", "-q", "1", "-m", "x"];
    const allowed = await tokens.run("mosquitto_pub", ...login, "-P", token, "-t", "home/x");
    assert.deepEqual([allowed.code, allowed.stderr], [0, ""]);
    const refused = await tokens.run("mosquitto_pub", ...login, "-P", token, "-t", "x");
    assert.match(refused.stderr, /Not authorized/);
    const forged = sign({ sub: "ada", exp, rights: ["home/#"] }, "f".repeat(32));
    const wrong = await tokens.run("mosquitto_pub", ...login, "-P", forged, "-t", "home/x");
    assert.equal(wrong.code, 0x87);
    // Where tokens are asked for, this machine's clients are no exception.
    const anonymous = await tokens.run("mosquitto_pub", "-V", "5", "-t", "x", "-m", "x");
    assert.equal(anonymous.code, 0x87);
  } finally {
    await tokens.stop();
  }
});

function sign(claims: object, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

test("tserve: a service says who comes in; when it is gone, nobody does", where, async () => {
  const service = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ result: "allow", rules: ["home/#"] }));
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  const http = `{ url: "http://127.0.0.1:${port}/", allowCacheSeconds: 0, timeoutSeconds: 2 }`;
  const asking = await ServeProcess.start({ yaml: `authentication: { http: ${http} }\n` });
  try {
    const login = ["-V", "5", "-u", "ada", "-P", "x", "-t", "home/x", "-m", "x"];
    const allowed = await asking.run("mosquitto_pub", ...login);
    assert.deepEqual([allowed.code, allowed.stderr], [0, ""]);
    service.closeAllConnections();
    service.close();
    assert.equal((await asking.run("mosquitto_pub", ...login)).code, 0x88);
  } finally {
    service.close();
    await asking.stop();
  }
});
