/** A folder for the tests of files, and a sink in it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileSink } from "../../src/sinks/file/index.ts";
import type { Sink, SinkValues } from "../../src/sinks/sink.ts";

export class FileFolder {
  readonly folder: string;
  /** What the sinks have said. */
  readonly said: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** It goes when the test ends. */
  static async make(t: TestContext): Promise<FileFolder> {
    const folder = await mkdtemp(join(tmpdir(), "tstack-file-"));
    t.after(() => rm(folder, { recursive: true }));
    return new FileFolder(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  names(): readonly string[] {
    return readdirSync(this.folder).sort();
  }

  /** Empty where there is none. */
  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : "";
  }

  /** A sink that writes to `name`. */
  async open(name: string, values: SinkValues = {}): Promise<Sink> {
    const configured = await fileSink.configure({ "file-path": this.path(name), ...values });
    return configured.open({ stdout: process.stdout, say: (line) => void this.said.push(line) });
  }
}
