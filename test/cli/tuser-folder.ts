/** A place for the folder of a broker and the files of a test, and tuser on it as a function. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { ProgramIo } from "../../src/cli/program-io.ts";
import { run } from "../../src/cli/tuser.ts";
import type { RunResult } from "./memory-io.ts";

interface Given {
  readonly stdin?: string;
  readonly environment?: ProgramIo["environment"];
  /** What is typed on the terminal, question by question; without it there is none. */
  readonly typed?: readonly string[];
}

export class TuserFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), "tuser-"));
  /** The broker's. */
  readonly data = path.join(this.path, "data");

  constructor() {
    mkdirSync(this.data, { mode: 0o700 });
  }

  /** A file beside the broker's folder. */
  write(name: string, content: string): string {
    const file = path.join(this.path, name);
    writeFileSync(file, content);
    return file;
  }

  async run(args: readonly string[], given: Given = {}): Promise<RunResult> {
    const stdin = new PassThrough();
    stdin.end(given.stdin ?? "");
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const typed = [...(given.typed ?? [])];
    const code = await run(args, {
      stdin,
      stdout,
      stderr,
      environment: { TSTACK_DATA: this.data, ...given.environment },
      onInterrupt: () => () => undefined,
      askSecret() {
        const line = typed.shift();
        return line === undefined
          ? Promise.reject(new Error("no terminal"))
          : Promise.resolve(line);
      },
    });
    stdout.end();
    stderr.end();
    return { code, stdout: await text(stdout), stderr: await text(stderr) };
  }

  /** What it printed; it must end with 0. What it said is `said`. */
  async do(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, {
      environment: { TSTACK_NEW_PASSWORD: "secret" },
    });
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async json(...args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.do(...args, "--json"));
  }

  /** The one line that it said when it ended with `code`. */
  async fail(code: 1 | 2, args: readonly string[], given?: Given): Promise<string> {
    const ended = await this.run(args, given);
    assert.match(ended.stderr, /^tuser: [^\n]+\n$/, "one line");
    assert.deepEqual([ended.stdout, ended.code], ["", code], ended.stderr);
    return ended.stderr;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
