/** A place for the folders and files of a test, and tstack's programs that work on them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "../../src/cli/tstack.ts";
import { runInMemory } from "./memory-io.ts";

export class StoreFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), "tstack-store-"));

  join(...names: readonly string[]): string {
    return path.join(this.path, ...names);
  }

  /** What it printed; it must end with 0. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runInMemory(run, args);
    assert.deepEqual([stderr, code], ["", 0], args.join(" "));
    return stdout;
  }

  /** The one line that it said when it ended with `code`. */
  async fail(code: number, ...args: readonly string[]): Promise<string> {
    const ended = await runInMemory(run, args);
    assert.match(ended.stderr, /^tstack \w+: [^\n]+\n$/, "one line");
    assert.deepEqual([ended.stdout, ended.code], ["", code]);
    return ended.stderr;
  }

  /** The records of an export without the first, which says when it was made. */
  async exportFrom(...source: readonly string[]): Promise<string[]> {
    const file = this.join("export.jsonl");
    await this.run("export", file, "--force", ...source);
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(1);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
