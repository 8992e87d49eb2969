/**
 * treg: devices register over HTTPS with a key, and become users of the broker. A process of its own, which reaches the
 * broker's users through its API; so only what this program lets through gets in from the network.
 */
import { newCommand, runCommand } from "./command-program.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { readProgramVersion } from "./program-version.ts";
import { addKeyCommands } from "./registration/key-commands.ts";
import { addServeOptions } from "./registration/serve-command.ts";

const afterHelp = `
A device sends  POST /register.json  {"RegistrationKey": "..."}  and gets
{"Name": "ABC-123", "Password": "...", "Broker": "...", "Ca": "..."}: tregister
does that. It may publish and subscribe to ABC-123/#, or what the role of the
key says. Run treg as the user who runs the broker, on the broker's machine.

Examples:
  treg key add workshop --expires 30d --uses 20     prints the key, this once
  treg --broker mqtts://broker.example:8883 --cafile certs/ca.crt \\
       --cert certs/server.crt --key certs/server.key
  treg key list
  treg key revoke workshop
`;

/** Resolves with the exit code: 0 after a signal, 1 for the world, 2 for the command line. */
export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const program = newCommand("treg", "Lets devices register with a key.", io)
    .version(readProgramVersion(), "-V, --version", "say which treg this is")
    .addHelpText("after", afterHelp);
  addServeOptions(program, io);
  addKeyCommands(program, io);
  return runCommand(program, args, io);
}

if (import.meta.main) await runAsProcess(run);
