/** tmonitor as a user of a broker: the settings file, a wrong password, rights to its own topics only. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { Onlooker, startMonitor } from "./monitor-world.ts";
import { ServeProcess } from "./tserve-process.ts";

let server: ServeProcess;
let onlooker: Onlooker;
let folder: string;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "tmonitor-"));
  server = await ServeProcess.start({
    yaml: `users:
  - { name: ABC-234, password: geheim, rights: "%u/#" }
  - { name: onlooker, password: geheim, rights: "#" }
`,
  });
  onlooker = await Onlooker.join(server.port, "onlooker", "geheim");
});
after(async () => {
  await onlooker?.leave();
  await server?.stop();
  rmSync(folder, { recursive: true });
});

function writeSettings(password: string): Record<string, string> {
  const file = path.join(folder, "settings.yml");
  const broker = `mqtt://127.0.0.1:${server.port}`;
  writeFileSync(file, `username: ABC-234\npassword: ${password}\nbroker: ${broker}\n`, {
    mode: 0o600,
  });
  return { TSTACK_SETTINGS: file };
}

test("after tregister no option is needed: its topics are below the user's name", async () => {
  const monitor = startMonitor(undefined, [], writeSettings("geheim"));
  await onlooker.sawMessage("ABC-234/status", "online");
  await onlooker.sawMessage("ABC-234/cpu/percent");
  monitor.child.kill("SIGTERM");
  const { code, stderr } = await monitor.ended;
  assert.equal(code, 0);
  assert.match(stderr, /^tmonitor: publishing ABC-234\/# to mqtt:\/\/\S+ every 10 s\n$/);
  assert.ok(onlooker.seen.every(({ topic }) => topic.startsWith("ABC-234/")));
});

test("a wrong password ends it with the broker's code, and is not told", async () => {
  const monitor = startMonitor(undefined, [], writeSettings("falsch"));
  const { code, stderr } = await monitor.ended;
  assert.ok(code === 4 || code === 5, String(code));
  assert.match(stderr, /refused the connection/);
  assert.doesNotMatch(stderr, /falsch/);
});

test("a --name whose topics belong to another is refused at once, by its will", async () => {
  const args = ["-V", "5", "-q", "1", "--name", "other", "--interval", "1", "--json"];
  const monitor = startMonitor(server.port, [...args, "-u", "ABC-234", "-P", "geheim"]);
  const { code, stderr } = await monitor.ended;
  assert.equal(code, 0x87);
  assert.match(stderr, /not authorized/);
});

test("without a right to Home Assistant's topics the figures are published all the same", async () => {
  const args = ["-V", "5", "--interval", "1", "--home-assistant"];
  const from = onlooker.seen.length;
  const monitor = startMonitor(undefined, args, writeSettings("geheim"));
  await onlooker.sawMessage("ABC-234/cpu/percent", undefined, from);
  await onlooker.sawMessage("ABC-234/cpu/percent", undefined, onlooker.seen.length);
  monitor.child.kill("SIGTERM");
  const { code, stderr } = await monitor.ended;
  assert.equal(code, 0);
  assert.match(
    stderr,
    /subscribing to homeassistant\/status was refused: .* publish to homeassistant\/device\/ABC-234\/config\?/,
  );
  const refusal =
    /publishing to homeassistant\/device\/ABC-234\/config was refused: not authorized/g;
  assert.equal(stderr.match(refusal)?.length, 1, stderr);
});
