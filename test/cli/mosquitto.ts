/**
 * A real mosquitto for the tests of the command line clients: the broker whose habits they follow.
 * Listens on 127.0.0.1 only, on ports asked from the system, with its files in a folder of its own.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = ["/usr/sbin/mosquitto", "mosquitto"].find(
  (name) => spawnSync(name, ["-h"]).error === undefined,
);

/** The reason to skip, for `test(name, { skip })`; false where mosquitto is installed. */
export const withoutMosquitto: string | false =
  program === undefined ? "mosquitto is not installed" : false;

/** The same for its clients. */
export const withoutMosquittoClients: string | false =
  withoutMosquitto ||
  (spawnSync("mosquitto_sub", ["--help"]).error !== undefined && "mosquitto_sub is not installed");

const attempts = 5;
const startMilliseconds = 10_000;

export class Mosquitto {
  readonly folder: string;
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.#process = child;
  }

  /**
   * Starts one with `lines` as its configuration, in which PORT stands for a free port and FOLDER for
   * its folder; `port` is that of the first PORT. `options.port` asks for one, to come back to it.
   */
  static async start(
    lines: readonly string[] = ["listener PORT 127.0.0.1", "allow_anonymous true"],
    options: { readonly port?: number; readonly files?: Readonly<Record<string, string>> } = {},
  ): Promise<Mosquitto> {
    const folder = await mkdtemp(path.join(tmpdir(), "mosquitto-"));
    for (const [name, content] of Object.entries(options.files ?? {})) {
      await writeFile(path.join(folder, name), content);
    }
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const port = options.port ?? (await findFreePort());
      const configuration = path.join(folder, "mosquitto.conf");
      const text = ["user root", "max_queued_messages 0", ...lines].join("\n");
      await writeFile(
        configuration,
        `${text.replaceAll("PORT", String(port)).replaceAll("FOLDER", folder)}\n`,
      );
      const child = spawn(program ?? "", ["-c", configuration], { stdio: "ignore" });
      if (await isListening(child, port)) return new Mosquitto(folder, port, child);
    }
    throw new Error(`mosquitto does not start with ${lines.join("; ")}`);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }

  /** Ends the broker without a word to its clients. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

export async function findFreePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isListening(child: ChildProcess, port: number): Promise<boolean> {
  const until = Date.now() + startMilliseconds;
  while (child.exitCode === null && Date.now() < until) {
    const socket = net.connect(port, "127.0.0.1");
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (connected) return true;
    await sleep(20);
  }
  child.kill("SIGKILL");
  return false;
}
