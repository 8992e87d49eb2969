/** A real haproxy that hands on TCP connections with a PROXY header, as people put it before a broker. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../cli/mosquitto.ts";

const program = ["/usr/sbin/haproxy", "haproxy"].find(
  (name) => spawnSync(name, ["-v"]).error === undefined,
);

/** The reason to skip, for `test(name, { skip })`; false where haproxy is installed. */
export const withoutHaproxy: string | false =
  program === undefined ? "haproxy is not installed" : false;

export interface Forward {
  /** Where it hands on to, on 127.0.0.1. */
  readonly to: number;
  /** Behind `server NAME ADDRESS`: `send-proxy`, `send-proxy-v2 check`. */
  readonly options: string;
}

/** Its ports on 127.0.0.1, one for each of `forwards`; it ends with the test. */
export async function startHaproxy(
  context: TestContext,
  forwards: readonly Forward[],
): Promise<number[]> {
  const ports = await Promise.all(forwards.map(() => findFreePort()));
  const sections = forwards.flatMap(({ to, options }, index) => [
    `listen forward${index}`,
    `  bind 127.0.0.1:${ports[index]}`,
    `  server broker 127.0.0.1:${to} ${options}`,
  ]);
  const lines = [
    "defaults",
    "  mode tcp",
    "  timeout connect 5s",
    "  timeout client 60s",
    "  timeout server 60s",
    "  timeout check 5s",
    ...sections,
    "",
  ];
  const folder = mkdtempSync(path.join(tmpdir(), "haproxy-"));
  const file = path.join(folder, "haproxy.cfg");
  writeFileSync(file, lines.join("\n"));
  const child = spawn(program ?? "", ["-db", "-f", file], { stdio: "ignore" });
  const exited = once(child, "exit");
  context.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  });
  for (const port of ports) await waitFor(port);
  return ports;
}

async function waitFor(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const socket = connect(port, "127.0.0.1");
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    const isThere = await promise;
    socket.destroy();
    if (isThere) return;
    await sleep(20);
  }
  throw new Error("haproxy does not start");
}
