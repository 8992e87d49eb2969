/** Registration with real processes: a broker with TLS, treg, two devices, an operator who removes one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { type Ended, RunningProgram } from "./programs.ts";

const bin = path.join(import.meta.dirname, "../../bin");
const folder = mkdtempSync(path.join(tmpdir(), "registration-"));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

type Options = ConstructorParameters<typeof RunningProgram>[2];

function start(program: string, args: readonly string[], options?: Options): RunningProgram {
  return new RunningProgram(process.execPath, [path.join(bin, `${program}.js`), ...args], options);
}

async function run(program: string, args: readonly string[], options?: Options): Promise<Ended> {
  return start(program, args, { stdin: "", ...options }).ended;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const data = ["--data", at("data")];

/** A broker with TLS, and treg with a key for two devices. */
async function startServers() {
  const certs = ["--out", at("certs")];
  assert.equal((await run("tstack", ["cert", "ca", ...certs])).code, 0);
  assert.equal((await run("tstack", ["cert", "server", "--host", "localhost", ...certs])).code, 0);
  mkdirSync(at("data"), { mode: 0o700 });
  const tls = `tls: { cert: ${at("certs/server.crt")}, key: ${at("certs/server.key")} }`;
  const port = await findFreePort();
  writeFileSync(at("tserve.yaml"), `listen:\n  - url: mqtts://127.0.0.1:${port}\n    ${tls}\n`);
  const server = start("tserve", ["--config", at("tserve.yaml"), ...data]);
  await server.saw("try next", "stdout");

  const { stdout: key } = await run("treg", ["key", "add", "workshop", "--uses", "2", ...data]);
  const treg = start("treg", [
    ...["--listen", "https://127.0.0.1:0", "--broker", `mqtts://localhost:${port}`, ...data],
    ...["--cert", at("certs/server.crt"), "--key", at("certs/server.key")],
    ...["--cafile", at("certs/ca.crt"), "--audit", at("audit")],
  ]);
  await treg.saw("listens on");
  const [, tregPort] = /listens on https:\/\/127\.0\.0\.1:(\d+)/.exec(treg.stderr) ?? [];
  return { server, treg, key, url: `https://localhost:${tregPort}` };
}

test("registration: two devices with their own topics, and one that is removed is cut off at once", async () => {
  const { server, treg, key, url } = await startServers();
  const ca = ["--cafile", at("certs/ca.crt")];
  const environment = (device: string) => ({ HOME: at(device) });
  const register = async (device: string) => {
    mkdirSync(at(device), { recursive: true });
    const options = { stdin: key, environment: environment(device) };
    return run("tregister", [url, "--key-stdin", ...ca], options);
  };
  const one = await register("one");
  const two = await register("two");
  assert.deepEqual([one.code, two.code], [0, 0], one.stderr + two.stderr);
  assert.equal((await register("three")).code, 8, "the key was for two");
  const [nameOne, nameTwo] = [one, two].map(({ stdout }) => stdout.trim());

  // Without any option but the topic.
  const listening = ["-d", "-v", "-C", "1", "-t", `${nameOne}/#`];
  const listener = start("tsubscribe", listening, { environment: environment("one") });
  await listener.saw("subscribed\n");
  const publish = (device: string, topic: string) =>
    run("tpublish", ["-q", "1", "-V", "5", "-t", topic, "-m", "open"], {
      environment: environment(device),
    });
  assert.equal((await publish("one", `${nameOne}/door`)).code, 0);
  assert.equal((await listener.ended).stdout, `${nameOne}/door open\n`);
  for (const [device, topic] of [
    ["two", `${nameOne}/door`],
    ["one", `${nameTwo}/door`],
    ["one", nameTwo],
    ["one", "door"],
  ]) {
    const { code, stderr } = await publish(device, topic);
    assert.equal(code, 1, topic);
    assert.match(stderr, /not authorized/);
  }
  const nosy = await run("tsubscribe", ["-t", "#", "-V", "5"], { environment: environment("two") });
  assert.notEqual(nosy.code, 0);

  const live = start("tsubscribe", ["-d", "--no-reconnect", "-t", `${nameOne}/#`], {
    environment: environment("one"),
  });
  await live.saw("subscribed\n");
  assert.equal((await run("tuser", ["remove", nameOne, ...data])).code, 0);
  assert.notEqual((await live.ended).code, 0, "it was connected, and is no more");
  assert.notEqual((await publish("one", `${nameOne}/door`)).code, 0);
  assert.equal((await publish("two", `${nameTwo}/door`)).code, 0, "the other one stays");

  for (const program of [treg, server]) {
    program.child.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
  }
  const told = readFileSync(at("audit"), "utf8") + treg.stderr + server.bytes.toString();
  assert.ok(!told.includes(key.trim()), "nobody has told the key");
  const events = [...readFileSync(at("audit"), "utf8").matchAll(/"event":"(\w+)"/g)];
  assert.deepEqual(
    events.map(([, event]) => event),
    ["registered", "registered", "refused"],
  );
});
