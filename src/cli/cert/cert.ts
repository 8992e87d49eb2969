/**
 * tstack cert: a private CA, certificates of servers and clients that it signs, and the list of those it takes back.
 * Nothing is overwritten unless asked for, and keys are their owner's alone.
 */
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ProgramFailure, UsageError } from "../client/index.ts";
import { newCommand, runCommand } from "../command-program.ts";
import type { ProgramIo } from "../program-io.ts";
import { isThere, writeWholeFile } from "../whole-file.ts";
import { Authority, type KeyType, makeAuthority, type Signed } from "./authority.ts";
import { revoke, writeEmptyList } from "./revocation.ts";
import { showCertificates } from "./show.ts";
import { loadX509 } from "./x509.ts";

interface MakeArguments {
  readonly out: string;
  readonly name: string;
  readonly days: number;
  readonly keyType: KeyType;
  readonly force?: boolean;
}

interface ServerArguments extends MakeArguments {
  readonly host: readonly string[];
}

interface ClientArguments extends Omit<MakeArguments, "name"> {
  readonly user: string;
  readonly name?: string;
}

/** What a common name can hold. (RFC 5280, ub-common-name) */
const commonNameLengthMax = 64;
const daysMax = 36_500;
const keyMode = 0o600;
const certificateMode = 0o644;

const afterHelp = `
Examples:
  tstack cert ca                                     a CA in ./certs
  tstack cert server --host broker.example --host 192.0.2.7
  tstack cert client --user ABC-123                  for a device of that name
  tstack cert revoke certs/ABC-123.crt               into certs/ca.crl
  tstack cert show certs/server.crt                  names, dates, fingerprint

Keep ca.key away from the broker's machine if you can: whoever has it can make
certificates that everybody trusts who trusts ca.crt.
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const program = newCommand(
    "tstack cert",
    "Makes a private CA, and certificates for servers and clients.",
    io,
  ).addHelpText("after", afterHelp);
  addMaking(program.command("ca").description("make a CA: ca.crt, ca.key, ca.crl"), 3650)
    .option("--name <name>", "what it is called", readCommonName, "tStack private CA")
    .action((options: MakeArguments) => makeCa(options, io));
  addMaking(program.command("server").description("make a certificate for a broker or treg"), 825)
    .option("--name <name>", "of the files", "server")
    .requiredOption(
      "--host <name>",
      "a name or an address by which clients reach it; repeatable",
      gatherHost,
      [],
    )
    .action((options: ServerArguments) => makeServer(options, io));
  addMaking(program.command("client").description("make a certificate for a user"), 825)
    .requiredOption("--user <name>", "the user, as the common name", readCommonName)
    .option("--name <name>", "of the files (default: the user's name)")
    .action((options: ClientArguments) => makeClient(options, io));
  program
    .command("revoke <certificate>")
    .description("put a certificate on the CA's list, ca.crl")
    .option("--out <folder>", "where the CA is", "./certs")
    .action((file: string, { out }: { out: string }) => revoke(file, out, io));
  program
    .command("show <file>")
    .description("tell what is in a certificate or a list: names, dates, fingerprints")
    .action((file: string) => showCertificates(file, io));
  return runCommand(program, args, io);
}

function addMaking(command: Command, days: number): Command {
  return command
    .option("--out <folder>", "where the CA is, and the files go", "./certs")
    .option("--days <number>", "how long it is valid", readDays, days)
    .addOption(
      new Option("--key-type <type>", "ECDSA P-256, or RSA for old devices")
        .choices(["ec", "rsa"])
        .default("ec"),
    )
    .option("--force", "replace files that are there");
}

async function makeCa(options: MakeArguments, io: ProgramIo): Promise<void> {
  const { out } = options;
  // What lies in it is nobody else's business, certificates aside, and they are given away by hand.
  mkdirSync(out, { recursive: true, mode: 0o700 });
  const x509 = await loadX509();
  await writePair(join(out, "ca"), options, () => makeAuthority(x509, options));
  await writeEmptyList(Authority.open(x509, out), out);
  io.stdout.write(`${join(out, "ca.crt")}: give it to whoever is to trust your certificates\n`);
  io.stdout.write(`${join(out, "ca.key")}: give it to nobody\n`);
  io.stdout.write(`${join(out, "ca.crl")}: what has been revoked, for the broker\n`);
}

async function makeServer(options: ServerArguments, io: ProgramIo): Promise<void> {
  const { host: hosts, days, keyType } = options;
  if (hosts.length === 0) throw new UsageError("a server needs a name: add --host");
  const authority = Authority.open(await loadX509(), options.out);
  const file = chooseFile(options.out, options.name);
  const commonName = hosts.find((host) => host.length <= commonNameLengthMax);
  const settings = { commonName, hosts, usage: "server", days, keyType } as const;
  await writePair(file, options, async () => {
    const { certificate, key } = await authority.sign(settings);
    // With its CA behind it, so that who pins the CA can see it.
    return { certificate: certificate + authority.certificate.toString(), key };
  });
  io.stdout.write(`${file}.crt, ${file}.key: for ${hosts.join(", ")}\n`);
}

async function makeClient(options: ClientArguments, io: ProgramIo): Promise<void> {
  const { user, days, keyType } = options;
  const authority = Authority.open(await loadX509(), options.out);
  const file = chooseFile(options.out, options.name ?? encodeURIComponent(user));
  const settings = { commonName: user, usage: "client", days, keyType } as const;
  await writePair(file, options, () => authority.sign(settings));
  io.stdout.write(`${file}.crt, ${file}.key: for the user ${JSON.stringify(user)}\n`);
}

function chooseFile(folder: string, name: string): string {
  if (name.toLowerCase() === "ca")
    throw new UsageError("ca.crt is the CA's: choose another --name");
  if (name === "" || /[/\\\0]/.test(name)) {
    throw new UsageError("--name is the name of files, without a folder: that is --out");
  }
  return `${join(folder)}/${name}`; // the name is not joined: a user may be called ".."
}

async function writePair(
  file: string,
  { force }: { readonly force?: boolean },
  make: () => Promise<Signed>,
): Promise<void> {
  for (const taken of [`${file}.crt`, `${file}.key`]) {
    if (!force && isThere(taken)) {
      throw new ProgramFailure(`${taken} is there already: --force replaces it`);
    }
  }
  const { certificate, key } = await make();
  writeWholeFile(`${file}.key`, key, keyMode);
  writeWholeFile(`${file}.crt`, certificate, certificateMode);
}

function readCommonName(text: string): string {
  if (text === "" || [...text].length > commonNameLengthMax || /\p{Cc}/u.test(text)) {
    throw new InvalidArgumentError(`a name has 1 to ${commonNameLengthMax} characters.`);
  }
  return text;
}

function readDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > daysMax) {
    throw new InvalidArgumentError(`it is a number from 1 to ${daysMax}.`);
  }
  return days;
}

function gatherHost(text: string, before: readonly string[]): readonly string[] {
  const host = isIP(text) === 0 ? domainToASCII(text) : text;
  if (!/^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$|:|^\d+(?:\.\d+){3}$/.test(host)) {
    throw new InvalidArgumentError("it is a host name or an address, without a port.");
  }
  return [...before, host];
}
