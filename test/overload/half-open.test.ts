/** Peers that vanish without a word: the keep alive ends their connections, and their sockets are freed. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { encodePacket } from "../../src/codec/index.ts";
import { connectPacket } from "../conformance/harness/index.ts";
import { Crowd } from "./crowd.ts";
import { OverloadedBroker, Pair } from "./overloaded-broker.ts";

const canUnshare = spawnSync("unshare", ["-rn", "ip", "link", "set", "lo", "up"]).status === 0;

/** A relay that passes everything on until it falls silent, with both its connections open. */
async function startRelay(brokerPort: number) {
  const sockets: net.Socket[] = [];
  const allowHalfOpen = true; // or it would answer the broker's closing
  const server = net.createServer({ allowHalfOpen }, (near) => {
    const far = net.connect({ port: brokerPort, host: "127.0.0.1", allowHalfOpen });
    for (const socket of [near, far]) socket.on("error", () => undefined);
    sockets.push(near, far);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    fallSilent: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("a client behind a network that has fallen silent is ended by its keep alive", {
  timeout: 30_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context, { endSecondsMax: 1 });
  const pair = await Pair.start(broker, 1);
  const relay = await startRelay(broker.tcpPort);
  context.after(() => relay.stop());
  const greeting = (index: number) =>
    encodePacket(connectPacket(4, { clientIdentifier: `${index}`, keepAliveSeconds: 1 }), 4);
  const crowd = await Crowd.open(context, relay.port, 50, greeting);
  assert.ok(await crowd.until(({ answered }) => answered === 50));
  relay.fallSilent();
  await broker.waitForFigure("clients/connected", (count) => count <= 3);
  const grown = await broker.grownMegabytes();
  await pair.stop();
  context.diagnostic(`${grown.toFixed(0)} MB grown`);
  assert.ok(grown < 60, `${grown} MB`);
  // The transport waited for their closing, and cut them off.
  await broker.waitForFigure("limits/endSecondsMax", 50);
});

// Where the kernel lets us have a network of our own, also with the network gone: nothing is acknowledged any more.
if (canUnshare) {
  test("clients whose network is gone are ended by their keep alive, and their sockets freed", {
    timeout: 30_000,
  }, async () => {
    const world = join(import.meta.dirname, "half-open-world.ts");
    const { stdout } = await promisify(execFile)("unshare", ["-rn", process.execPath, world]);
    const told = JSON.parse(stdout) as Record<"before" | "during" | "after", number> & {
      endings: string[];
    };
    assert.deepEqual(new Set(told.endings), new Set(["141"]), "0x8D, keep alive timeout");
    assert.equal(told.endings.length, 50);
    assert.ok(told.during >= told.before + 50, `${told.during} open files`);
    assert.ok(told.after <= told.before + 1, `${told.after} open files`);
  });
}
