/** Graphite's own web server on a free port of 127.0.0.1, which shows what carbon has written into a folder. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findFreePort } from "../cli/mosquitto.ts";

/** As Debian's package has it for its own Python. */
const python = "/usr/bin/python3";
const startMillisecondsMax = 30_000;

/** The reason to skip, for `test(name, { skip })`; false where graphite-web is installed. */
export const withoutGraphiteWeb: string | false =
  spawnSync(python, ["-c", "import graphite"], { stdio: "ignore" }).status !== 0 &&
  "graphite-web is not installed";

const settings = `
from graphite.settings import *
import os
HERE = os.path.dirname(__file__)
SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["127.0.0.1"]
LOG_DIR = os.path.join(HERE, "log")
INDEX_FILE = os.path.join(HERE, "index")
DATABASES = {"default": {"NAME": os.path.join(HERE, "graphite.db"), "ENGINE": "django.db.backends.sqlite3"}}
STORAGE_DIR = WHISPER_DIR = os.environ["WHISPER_FOLDER"]
STANDARD_DIRS = [WHISPER_DIR]
`;

export class GraphiteWeb {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  static async start(whisperFolder: string): Promise<GraphiteWeb> {
    const folder = mkdtempSync(join(tmpdir(), "tstack-graphite-web-"));
    mkdirSync(join(folder, "log"));
    writeFileSync(join(folder, "page_settings.py"), settings);
    const env = {
      PATH: process.env.PATH,
      PYTHONPATH: folder,
      DJANGO_SETTINGS_MODULE: "page_settings",
      WHISPER_FOLDER: whisperFolder,
    };
    await promisify(execFile)(python, ["-m", "django", "migrate", "--run-syncdb"], { env });
    const port = await findFreePort();
    const args = ["-m", "django", "runserver", "--noreload", `127.0.0.1:${port}`];
    const child = spawn(python, args, { env, stdio: "ignore" });
    const server = new GraphiteWeb(port, folder, child);
    await server.#ready();
    return server;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode === null) {
      const exited = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#folder, { recursive: true });
  }

  async #ready(): Promise<void> {
    const until = Date.now() + startMillisecondsMax;
    while (this.#process.exitCode === null && Date.now() < until) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/render?format=json`).catch(
        () => undefined,
      );
      if (answer?.ok) return;
      await sleep(50);
    }
    await this.end();
    throw new Error("graphite-web does not start");
  }
}
