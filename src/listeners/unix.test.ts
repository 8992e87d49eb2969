import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connectPeer, firstConnection, listenForTest, nextEvent } from "./recording.ts";

function pathForTest(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tstack-"));
  context.after(() => rmSync(directory, { recursive: true }));
  return join(directory, "broker.sock");
}

/** A program that listens there and is killed, as by a power cut: its socket file stays. */
function leaveStaleSocket(path: string): void {
  const program = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program, path]);
  assert.ok(existsSync(path));
}

test("carries bytes over a Unix socket and removes its file at close", async (context) => {
  const path = pathForTest(context);
  const { listener, acceptor } = await listenForTest(context, `unix://${path}`);
  assert.equal(listener.url, `unix://${path}`);
  const peer = await connectPeer(context, { path });
  const connection = await firstConnection(acceptor);
  assert.equal(connection.transport.remoteAddress, "unix");
  assert.equal(connection.transport.listener, listener.url);
  connection.onReceive = (bytes) => connection.transport.write(bytes);
  peer.write("hello");
  assert.equal(String((await nextEvent(peer, "data"))[0]), "hello");
  await listener.close();
  assert.equal(existsSync(path), false);
});

test("takes the place of a socket that nobody listens on any more", async (context) => {
  const path = pathForTest(context);
  leaveStaleSocket(path);
  const { acceptor } = await listenForTest(context, `unix://${path}`);
  await connectPeer(context, { path });
  await firstConnection(acceptor);
});

test("never takes the place of a socket that is alive", async (context) => {
  const path = pathForTest(context);
  await listenForTest(context, `unix://${path}`);
  await assert.rejects(listenForTest(context, `unix://${path}`), {
    code: "LISTEN_ADDRESS_IN_USE",
    message: `the socket ${path} is in use by another program; choose another path with --listen unix://${path}.2`,
  });
  await connectPeer(context, { path });
});

test("never removes a file that is not a socket", async (context) => {
  const path = pathForTest(context);
  writeFileSync(path, "precious");
  await assert.rejects(listenForTest(context, `unix://${path}`), {
    code: "LISTEN_FAILED",
    message: /is not a socket, so it is left alone/,
  });
  assert.equal(readFileSync(path, "utf8"), "precious");
});

test("a directory that does not exist is named", async (context) => {
  const path = join(pathForTest(context), "below");
  await assert.rejects(listenForTest(context, `unix://${path}`), {
    code: "LISTEN_FAILED",
    message: /the directory of the socket .* does not exist/,
  });
});

test("a path that is too long is refused before anything is touched", async (context) => {
  const path = `/${"ö".repeat(52)}`;
  await assert.rejects(listenForTest(context, `unix://${path}`), {
    code: "LISTEN_FAILED",
    message: /may have 103 bytes and .* has 105/,
  });
});
