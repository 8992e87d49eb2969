/** One tserve process with the listeners of a configuration file, and certificates beside it: ca, localhost and what a test adds. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { type Ended, RunningProgram } from "../cli/programs.ts";
import { CertificateFolder, TestAuthority } from "../listeners/test-authority.ts";
import { waitUntil } from "./inbox.ts";

const tserve = path.join(import.meta.dirname, "../../src/cli/tserve.ts");

export class SecuredProcess {
  readonly authority: TestAuthority;
  readonly folder: CertificateFolder;
  readonly #context: TestContext;
  readonly #serve: RunningProgram;

  private constructor(
    context: TestContext,
    parts: { authority: TestAuthority; folder: CertificateFolder },
  ) {
    this.#context = context;
    this.authority = parts.authority;
    this.folder = parts.folder;
    const args = [
      tserve,
      "--config",
      this.folder.path("tserve.yaml"),
      "--memory",
      "--log-format",
      "json",
    ];
    this.#serve = new RunningProgram(process.execPath, args);
    context.after(async () => {
      this.#serve.child.kill("SIGTERM");
      await this.#serve.ended;
    });
  }

  /** `lines` are those of its tserve.yaml; names of files are those of its folder. It ends with the test. */
  static async start(
    context: TestContext,
    lines: readonly string[],
    prepare: (parts: {
      authority: TestAuthority;
      folder: CertificateFolder;
    }) => Promise<void> = async () => undefined,
  ): Promise<SecuredProcess> {
    const authority = await TestAuthority.make();
    const folder = new CertificateFolder(context);
    folder.write("ca.crt", authority.certificate);
    const altNames = [{ type: "dns", value: "localhost" } as const];
    folder.writeIssued("localhost", await authority.issue("localhost", { altNames }));
    await prepare({ authority, folder });
    writeFileSync(folder.path("tserve.yaml"), `${lines.join("\n")}\n`);
    const started = new SecuredProcess(context, { authority, folder });
    await started.#serve.saw("try next", "stdout");
    return started;
  }

  get log(): string {
    return this.#serve.bytes.toString();
  }

  /** Of the first listener with this scheme. */
  port(scheme: "mqtt" | "mqtts" | "ws" | "wss"): number {
    return Number(new RegExp(`"${scheme}://127\\.0\\.0\\.1:(\\d+)`).exec(this.log)?.[1]);
  }

  async waitForLog(text: RegExp): Promise<void> {
    await waitUntil(
      () => text.test(this.log),
      () => `${text} in ${this.log}`,
    );
  }

  /** Another program, until it ends; its standard input is empty unless `stdin` says otherwise. */
  run(command: string, args: readonly string[], stdin = ""): Promise<Ended> {
    return this.begin(command, args, stdin).ended;
  }

  begin(command: string, args: readonly string[], stdin?: string): RunningProgram {
    const program = new RunningProgram(command, args, { stdin });
    this.#context.after(() => program.child.kill("SIGKILL"));
    return program;
  }
}
