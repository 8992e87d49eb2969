/** docs/tls.md: tserve takes the listeners that it shows, with files that `tstack cert` makes, and does what it says of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { ServeProcess } from "../cli/tserve-process.ts";

const root = join(import.meta.dirname, "../..");

async function readListener(start: string): Promise<string> {
  const page = await readFile(join(root, "docs/tls.md"), "utf8");
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  const found = blocks.find((block) => block.startsWith(`listen:\n  - url: ${start}`));
  assert.ok(found !== undefined, `no listener at ${start}`);
  return found.replace(/\/\/[\d.]+:\d+/, "//127.0.0.1:0");
}

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tstack-page-"));
  context.after(() => rm(folder, { recursive: true }));
  const cert = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      [join(root, "src/cli/tstack.ts"), "cert", ...args, "--out", "."],
      { cwd: folder },
    );
  await cert("ca");
  await cert("server", "--host", "localhost");
  await cert("server", "--name", "other", "--host", "other.example");
  await cert("client", "--user", "ABC-123");
  await copyFile(join(folder, "ca.crt"), join(folder, "clients-ca.crt"));
  await copyFile(join(folder, "ca.crl"), join(folder, "clients-ca.crl"));
  return folder;
}

/** Who the broker says it is to a client that asks for `servername`. */
async function handshake(folder: string, port: number, servername: string): Promise<string> {
  const read = (file: string) => readFile(join(folder, file));
  const [ca, cert, key] = await Promise.all(["ca.crt", "ABC-123.crt", "ABC-123.key"].map(read));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: "127.0.0.1", servername, ca, cert, key });
  socket.once("error", reject);
  socket.once("secureConnect", () => resolve(String(socket.getPeerCertificate().subject.CN)));
  return promise.finally(() => socket.destroy());
}

test("docs/tls.md: the listener with all its files serves the certificate that a client asks for", {
  timeout: 40_000,
}, async (context) => {
  const folder = await makeFolder(context);
  const listener = await readListener("mqtts://0.0.0.0:8883");
  const yaml = listener.replace(/[\w-]+\.(?:crt|key|crl)/g, (file) => join(folder, file));
  assert.equal(yaml.split(folder).length, 7, "all files are there");
  const broker = await ServeProcess.start({ yaml });
  context.after(() => broker.stop());
  assert.equal(await handshake(folder, broker.port, "localhost"), "localhost");
  assert.equal(await handshake(folder, broker.port, "other.example"), "other.example");
});

test("docs/tls.md: the listener behind a proxy is for that proxy alone", {
  timeout: 20_000,
}, async (context) => {
  const yaml = await readListener("mqtt://10.0.0.5:1883");
  const broker = await ServeProcess.start({ yaml, args: ["--allow-anonymous"] });
  context.after(() => broker.stop());
  const socket = connectPlain(broker.port, "127.0.0.1");
  assert.deepEqual(await socket.toArray(), []);
  await broker.logged(/comes from none of the proxies/);
});
