/**
 * tregister: registers this machine with treg, and writes what it gets into the settings file that the client programs read.
 * Each cause of failure has its own sentence and exit code.
 */
import { newCommand, runCommand } from "./command-program.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { readProgramVersion } from "./program-version.ts";
import { type RegisterArguments, register } from "./register/register.ts";

const afterHelp = `
The key comes from --key-stdin, --key-file, TSTACK_REGISTRATION_KEY or a prompt.
The name that this machine gets is printed on stdout.

Settings go to --settings, TSTACK_SETTINGS or ~/.config/tstack/settings.yml, the
broker's CA beside it. Then tpublish and tsubscribe need no options:
  tregister https://broker.example:8443 --cafile ca.crt
  tpublish -t ABC-123/hello -m world        with the name that was printed

Exit code: 0 registered, 1 another failure, 2 command line, 3 host name unknown,
4 unreachable, 5 certificate not trusted, 6 certificate not the pinned one,
7 request not understood, 8 key refused, 9 too many requests, 10 no broker,
11 answer not understood, 12 settings cannot be written, 13 registered already.
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const program = newCommand("tregister", "Registers this machine with a broker.", io)
    .version(readProgramVersion(), "-V, --version", "say which tregister this is")
    .argument("<url>", "where treg listens: https://host:8443")
    .option("--key-stdin", "read the registration key from stdin")
    .option("--key-file <file>", "read it from this file")
    .option("--cafile <file>", "trust these CA certificates (PEM), and no others")
    .option("--pin <sha256>", "trust the certificate, of treg or its CA, with this fingerprint")
    .option("--settings <file>", "where the settings go")
    .option("--force", "replace an earlier registration")
    .addHelpText("after", afterHelp)
    .action((url: string, options: RegisterArguments) => register(url, options, io));
  return runCommand(program, args, io);
}

if (import.meta.main) await runAsProcess(run);
