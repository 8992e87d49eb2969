/**
 * What treg has done, one line of JSON for each registration, to stdout or a file that only its owner may read. It knows
 * neither keys nor passwords, only the names of both.
 */
import { appendFile } from "node:fs/promises";
import { describeSystemError, ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";

export type AuditEntry = { readonly address: string } & (
  | { readonly event: "registered"; readonly name: string; readonly key: string }
  /** `tries` is how many were refused from that address of late. */
  | { readonly event: "refused"; readonly tries: number }
  /** Told once in the time for which it holds. */
  | { readonly event: "limited" }
  | { readonly event: "failed"; readonly reason: string }
);

export class Audit {
  readonly #file: string | undefined;
  readonly #io: ProgramIo;

  private constructor(file: string | undefined, io: ProgramIo) {
    this.#file = file;
    this.#io = io;
  }

  /** @throws ProgramFailure where it cannot be written */
  static async open(file: string | undefined, io: ProgramIo): Promise<Audit> {
    if (file !== undefined) {
      try {
        await append(file, "");
      } catch (error) {
        const reason = describeSystemError(error as Error);
        throw new ProgramFailure(`--audit ${file}: ${reason}`, { cause: error });
      }
    }
    return new Audit(file, io);
  }

  async tell(entry: AuditEntry): Promise<void> {
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;
    if (this.#file === undefined) {
      this.#io.stdout.write(line);
      return;
    }
    try {
      await append(this.#file, line);
    } catch (error) {
      // What happened has happened: it is told elsewhere rather than nowhere.
      const reason = describeSystemError(error as Error);
      this.#io.stderr.write(`treg: cannot write to ${this.#file}: ${reason}: ${line}`);
    }
  }
}

/** Opened by its name each time, so that it may be moved away at night. */
function append(file: string, text: string): Promise<void> {
  return appendFile(file, text, { mode: 0o600 });
}
