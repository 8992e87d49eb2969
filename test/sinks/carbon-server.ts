/**
 * A real carbon-cache on ports of its own, with its files in a temporary folder, that can be killed and started again.
 * What it has written is read back from whisper's files.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** As Debian's package has it for its own Python, where another one may stand before it on the PATH. */
const python = "/usr/bin/python3";
const run = promisify(execFile);

/** The reason to skip, for `test(name, { skip })`; false where Graphite's carbon and whisper are installed. */
export const withoutCarbon: string | false =
  (!existsSync("/usr/bin/carbon-cache") ||
    spawnSync(python, ["-c", "import whisper"], { stdio: "ignore" }).status !== 0) &&
  "graphite-carbon is not installed";

export interface StoredPoint {
  readonly path: string;
  readonly seconds: number;
  readonly value: number;
}

interface CarbonOptions {
  /** carbon's writer rests for a second when it has nothing to do. A shorter rest makes tests fast. */
  readonly restSeconds?: number;
  /** More lines of carbon.conf. */
  readonly settings?: string;
}

const readSecondsMax = 20;

/** Begins with the seconds of rest; the other arguments are carbon's command line. It dies with a test that is killed. */
const startScript = `
import ctypes, runpy, signal, sys, time
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
rest = float(sys.argv.pop(1))
del sys.argv[0]
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, rest))
runpy.run_path(sys.argv[0], run_name="__main__")
`;

/** Prints `path seconds value` of every point. */
const readScript = `
import os, sys, time, whisper
root, node = sys.argv[1:]
for folder, _, names in os.walk(os.path.join(root, node)):
    for name in names:
        file = os.path.join(folder, name)
        path = os.path.relpath(file, root)[:-len(".wsp")].replace(os.sep, ".")
        (start, end, step), values = whisper.fetch(file, 0, int(time.time()))
        for index, value in enumerate(values):
            if value is not None:
                print(path, start + index * step, repr(value))
`;

export class CarbonServer {
  readonly folder: string;
  readonly port: number;
  readonly picklePort: number;
  readonly #restSeconds: number;
  #process: ChildProcess | undefined;
  #markers = 0;

  private constructor(folder: string, ports: readonly [number, number], restSeconds: number) {
    this.folder = folder;
    [this.port, this.picklePort] = ports;
    this.#restSeconds = restSeconds;
  }

  static async start({
    restSeconds = 1,
    settings = "",
  }: CarbonOptions = {}): Promise<CarbonServer> {
    const folder = await mkdtemp(join(tmpdir(), "tstack-carbon-"));
    const [line, pickle, query] = await freePorts(3);
    await writeFile(
      join(folder, "carbon.conf"),
      `[cache]
STORAGE_DIR = ${folder}
CONF_DIR = ${folder}
LOG_DIR = ${folder}
PID_DIR = ${folder}
LOCAL_DATA_DIR = ${folder}/whisper
USER =
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = ${line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = ${pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = ${query}
MAX_CREATES_PER_MINUTE = inf
WHISPER_SPARSE_CREATE = True
ENABLE_LOGROTATION = False
CARBON_METRIC_INTERVAL = 0
ENABLE_TAGS = False
${settings}
`,
    );
    await writeFile(
      join(folder, "storage-schemas.conf"),
      "[all]\npattern = .*\nretentions = 1s:4h\n",
    );
    const server = new CarbonServer(folder, [line, pickle], restSeconds);
    await server.restart();
    return server;
  }

  /** Starts it where it does not run; resolves when it listens. */
  async restart(): Promise<void> {
    const child = spawn(
      python,
      [
        "-c",
        startScript,
        String(this.#restSeconds),
        "/usr/bin/carbon-cache",
        `--config=${this.folder}/carbon.conf`,
        "--nodaemon",
        "start",
      ],
      { stdio: "ignore" },
    );
    this.#process = child;
    for (const port of [this.port, this.picklePort]) {
      while (!(await isListening(port))) {
        if (child.exitCode !== null) throw new Error("carbon-cache has ended: see console.log");
        await sleep(20);
      }
    }
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }

  /** Sends what a program may send that speaks plaintext. */
  async send(text: string): Promise<void> {
    const socket = connect(this.port, "127.0.0.1");
    const closed = once(socket.resume(), "close");
    socket.end(text);
    await closed;
  }

  /** All points of paths below a first node, once everything that was sent before is on the disk. */
  async read(node: string): Promise<readonly StoredPoint[]> {
    // carbon's writer goes by rounds: when a second marker is written, the round of the first is over.
    await this.#writeMarker();
    await this.#writeMarker();
    const root = join(this.folder, "whisper");
    if (!existsSync(join(root, node))) return [];
    const { stdout } = await run(python, ["-c", readScript, root, node], {
      maxBuffer: 100_000_000,
    });
    return stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split(" "))
      .map(([path, seconds, value]) => ({ path, seconds: Number(seconds), value: Number(value) }));
  }

  async end(): Promise<void> {
    await this.stop("SIGKILL");
    await rm(this.folder, { recursive: true });
  }

  async #writeMarker(): Promise<void> {
    this.#markers += 1;
    const name = `m${this.#markers}`;
    await this.send(`marker.${name} 1 ${Math.floor(Date.now() / 1000)}\n`);
    const file = join(this.folder, "whisper/marker", `${name}.wsp`);
    const deadline = Date.now() + readSecondsMax * 1000;
    while (!existsSync(file)) {
      if (Date.now() > deadline) throw new Error("carbon does not write");
      await sleep(20);
    }
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
