/** treg key add, list, revoke: the keys for registration, of a running broker or of its folder at rest. */
import type { Command } from "commander";
import type { MadeRegistrationKey, RegistrationKey } from "../../admin/index.ts";
import { type AdminClient, apiPath, ask, withAdmin } from "../admin-client/index.ts";
import { readWhole, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { describeTime } from "../time-text.ts";
import { parseDuration } from "./duration.ts";

interface AddArguments {
  readonly expires?: number;
  readonly uses?: number;
  readonly role?: string;
}

export function addKeyCommands(program: Command, io: ProgramIo): void {
  const key = program
    .command("key")
    .description("keys for registration: add, list, revoke")
    .helpCommand(false);
  key
    .command("add <name>")
    .description("make a key and print it, this once")
    .option(
      "--expires <time>",
      "it ends after 12h, 30d, 8w (default: never, if --uses is given)",
      (text) => parseDuration("--expires", text),
    )
    .option(
      "--uses <number>",
      "for so many devices (default: any number, if --expires is given)",
      readWhole("--uses", 1, 1e9),
    )
    .option("--role <role>", "what devices may do (default: publish and subscribe to NAME/#)")
    .action((name: string, options: AddArguments, command: Command) => {
      refuseEndless(options);
      return withAdmin(command, io, (admin) => addKey(admin, name, options, io));
    });
  key
    .command("list")
    .description("tell which keys there are, and who may still use them")
    .option("--json", "as JSON")
    .action((options: { readonly json?: boolean }, command: Command) =>
      withAdmin(command, io, async (admin) => {
        const keys = await ask<RegistrationKey[]>(admin, "GET", "/v1/registration-keys");
        const text = options.json
          ? `${JSON.stringify(keys, undefined, 2)}\n`
          : keys.map(describe).join("");
        io.stdout.write(text);
      }),
    );
  key
    .command("revoke <name>")
    .description("let nobody register with it any more")
    .action((name: string, _options: unknown, command: Command) =>
      withAdmin(command, io, async (admin) => {
        await ask(admin, "POST", apiPath`/v1/registration-keys/${name}/revoke`);
        io.stderr.write(`treg: nobody registers with the key ${quote(name)} any more\n`);
      }),
    );
}

function refuseEndless({ expires, uses }: AddArguments): void {
  if (expires !== undefined || uses !== undefined) return;
  throw new UsageError(
    "a key for any number of devices and for ever is found some day: add --expires 30d, --uses 20 or both",
  );
}

/** The key alone goes to stdout: `KEY=$(treg key add workshop --uses 20)`. */
async function addKey(
  admin: AdminClient,
  name: string,
  { expires, uses, role }: AddArguments,
  io: ProgramIo,
): Promise<void> {
  const expiresAt = expires === undefined ? undefined : Date.now() + expires;
  const made = await ask<MadeRegistrationKey>(admin, "POST", "/v1/registration-keys", {
    name,
    expiresAt,
    usesMax: uses,
    role,
  });
  io.stderr.write("treg: this is the key; it is shown this once and kept nowhere\n");
  io.stdout.write(`${made.key}\n`);
}

function describe(key: RegistrationKey): string {
  const { name, createdAt, uses, role } = key;
  const rights = role === undefined ? "" : `, role ${quote(role)}`;
  const times = `made ${describeTime(createdAt)}, used ${uses} ${uses === 1 ? "time" : "times"}`;
  return `${quote(name)}: ${describeState(key)}; ${times}${rights}\n`;
}

function describeState({ isRevoked, expiresAt, usesLeft }: RegistrationKey): string {
  if (isRevoked) return "revoked";
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    return `expired ${describeTime(expiresAt)}`;
  }
  if (usesLeft === 0) return "used up";
  const left = usesLeft === undefined ? "any number of devices" : `${usesLeft} more`;
  return `for ${left}${expiresAt === undefined ? "" : ` until ${describeTime(expiresAt)}`}`;
}

function quote(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
