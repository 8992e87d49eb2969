/**
 * Broker CPU per delivered message for the two scenarios of the hot path, tStack and its peer in one run, as ratios:
 * the machine's noise hits both. Broker on core 0, load (mqload, built from its C source) on core 1.
 *
 *   node bench/hot-path.ts [path of mqload.c]
 *
 * The figures stand in `docs/performance.md`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

interface Scenario {
  readonly name: string;
  readonly peer: "mosquitto" | "nats-server";
  readonly load: readonly string[];
  /** CPU per message may be this much of the peer's. */
  readonly target: number;
}

interface Figures {
  readonly broker_cpu_us_per_msg: number;
  readonly deliver_per_s: number;
  readonly lost: number;
  readonly order_err: number;
}

const scenarios: readonly Scenario[] = [
  {
    name: "1 to 1, QoS 0, 1000 under way",
    peer: "nats-server",
    load: ["-q", "0", "-W", "1000"],
    target: 0.3,
  },
  {
    name: "1 to 1, QoS 1, 100 in flight",
    peer: "mosquitto",
    load: ["-q", "1", "-W", "100"],
    target: 0.07,
  },
];
const rounds = 5;
const secondsEach = 3;
const source = process.argv[2] ?? "../shared/tools/mqload.c";
const folder = mkdtempSync(join(tmpdir(), "tstack-bench-"));
const mqload = join(folder, "mqload");

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function startPeer(peer: Scenario["peer"], port: number): ChildProcess {
  const file = join(folder, `${peer}.conf`);
  if (peer === "mosquitto") {
    writeFileSync(
      file,
      `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n`,
    );
  } else {
    writeFileSync(
      file,
      `listen: "127.0.0.1:-1"\nserver_name: bench\njetstream { store_dir: "${folder}" }\nmqtt { host: 127.0.0.1, port: ${port} }\n`,
    );
  }
  return onCore(0, peer, ["-c", file]);
}

function startTstack(port: number): ChildProcess {
  const listen = ["--listen", `mqtt://127.0.0.1:${port}`, "--log-level", "warn"];
  return onCore(0, process.execPath, ["src/cli/tserve.ts", ...listen]);
}

function onCore(core: number, command: string, args: readonly string[]): ChildProcess {
  return spawn("taskset", ["-c", String(core), command, ...args], { stdio: "ignore" });
}

function measure(port: number, broker: ChildProcess, load: readonly string[]): Figures {
  const args = ["-c", "1", mqload, "-p", String(port), "-B", String(broker.pid)];
  const text = execFileSync("taskset", [...args, "-t", String(secondsEach), ...load], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return JSON.parse(text) as Figures;
}

async function compare(scenario: Scenario): Promise<void> {
  const ports = { peer: await freePort(), tstack: await freePort() };
  const peer = startPeer(scenario.peer, ports.peer);
  const tstack = startTstack(ports.tstack);
  await setTimeout(2000);
  try {
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const theirs = measure(ports.peer, peer, scenario.load);
      const ours = measure(ports.tstack, tstack, scenario.load);
      ratios.push(ours.broker_cpu_us_per_msg / theirs.broker_cpu_us_per_msg);
      console.log(
        `  ${scenario.peer} ${theirs.broker_cpu_us_per_msg} us, tStack ${ours.broker_cpu_us_per_msg} us, ` +
          `${Math.round(ours.deliver_per_s)} messages/s, lost ${ours.lost}, out of order ${ours.order_err}`,
      );
    }
    ratios.sort((a, b) => a - b);
    const shown = ratios.map((ratio) => ratio.toFixed(3)).join(" ");
    const median = ratios[Math.floor(rounds / 2)];
    const verdict = median <= scenario.target ? "met" : "missed";
    console.log(
      `${scenario.name}: ${median.toFixed(3)} of ${scenario.peer} (${shown}); target ${scenario.target}: ${verdict}`,
    );
  } finally {
    peer.kill();
    tstack.kill();
  }
}

try {
  execFileSync("cc", ["-O2", "-o", mqload, source]);
  for (const scenario of scenarios) await compare(scenario);
} finally {
  rmSync(folder, { recursive: true });
}
