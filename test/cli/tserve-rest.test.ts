/** Users and rights that change while no broker runs: what is stored of sessions does not outlive them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { run as tuser } from "../../src/cli/tuser.ts";
import { PacketType } from "../../src/codec/index.ts";
import { connectPacket, RawClient } from "../conformance/harness/index.ts";
import { runInMemory } from "./memory-io.ts";
import { ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-rest-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As far as is asked for, and with its session kept. */
function read(server: ServeProcess, name: string, ...more: readonly string[]) {
  const login = ["-V", "5", "-u", name, "-P", "geheim", "-i", `${name}-reader`];
  const kept = ["-c", "-x", "1000", "-q", "1", "-v"];
  return server.run("mosquitto_sub", ...login, ...kept, ...more);
}

/** Retained, so that it also comes to who subscribes later. */
async function publish(server: ServeProcess, name: string, topic: string): Promise<void> {
  const login = ["-V", "5", "-u", name, "-P", "geheim", "-q", "1", "-r"];
  assert.equal((await server.run("mosquitto_pub", ...login, "-t", topic, "-m", "x")).code, 0);
}

test(
  "tserve: a right that was taken out of the file ends the stored subscription before anything comes to it",
  {
    skip,
  },
  () =>
    withFolder(async (data) => {
      const yaml = (rights: string) =>
        `users: [{ name: ada, password: geheim, rights: [${rights}] }, { name: bob, password: geheim, rights: "#" }]\n`;
      const first = await ServeProcess.start({ data, yaml: yaml("home/x, home/y") });
      assert.equal((await read(first, "ada", "-t", "home/x", "-t", "home/y", "-E")).code, 0);
      await first.stop();
      const second = await ServeProcess.start({ data, yaml: yaml("home/y") });
      await publish(second, "bob", "home/x");
      await publish(second, "bob", "home/y");
      const { stdout } = await read(second, "ada", "-t", "home/y", "-C", "1", "-W", "10");
      assert.equal(stdout, "home/y x\n");
      await second.stop();
    }),
);

test(
  "tserve: a new user does not find what one of the same name has left, who was removed while it did not run",
  {
    skip,
  },
  () =>
    withFolder(async (data) => {
      const yaml = 'users: [{ name: bob, password: geheim, rights: "#" }]\n';
      const change = async (...args: readonly string[]) => {
        const environment = { TSTACK_NEW_PASSWORD: "geheim" };
        const { code, stderr } = await runInMemory(tuser, [...args, "--data", data], environment);
        assert.equal(code, 0, stderr);
      };
      const first = await ServeProcess.start({ data, yaml });
      await change("add", "eve", "--rights", "home/#");
      assert.equal((await read(first, "eve", "-t", "home/x", "-E")).code, 0);
      await first.stop();
      await change("remove", "eve");
      const second = await ServeProcess.start({ data, yaml });
      await publish(second, "bob", "home/x");
      await publish(second, "bob", "own/x");
      await change("add", "eve", "--rights", "own/#");
      const { stdout } = await read(second, "eve", "-t", "own/x", "-C", "1", "-W", "10");
      assert.equal(stdout, "own/x x\n");
      await second.stop();
    }),
);

/** What SCRAM-SHA-256 says of a user name at one listener. */
async function askSalt(port: number, name: string): Promise<string | undefined> {
  const client = await RawClient.open(`mqtt://127.0.0.1:${port}`, 5);
  try {
    const authenticationData = Buffer.from(`n,,n=${name},r=nonce`);
    const properties = { authenticationMethod: "SCRAM-SHA-256", authenticationData };
    client.send(connectPacket(5, { properties }));
    const answer = await client.expectPacket(PacketType.auth);
    return /s=([^,]+),/.exec(String(answer.properties.authenticationData))?.[1];
  } finally {
    client.destroy();
  }
}

test("tserve: the salt of an unknown name is the same at all listeners and after a restart", () =>
  withFolder(async (data) => {
    const yaml =
      "listen: [mqtt://127.0.0.1:0, mqtt://127.0.0.1:0]\nusers: [{ name: bob, password: geheim, rights: b }]\n";
    const salts = new Set<string | undefined>();
    for (let start = 0; start < 2; start++) {
      const server = await ServeProcess.start({ data, yaml });
      for (const port of server.ports) salts.add(await askSalt(port, "nobody"));
      await server.stop();
    }
    assert.equal(salts.size, 1);
    assert.match([...salts].join(), /^.{24}$/);
  }));
