/** The command line of tuser. */
import type { Command } from "commander";
import { addDataOption } from "../admin-client/index.ts";
import { newCommand } from "../command-program.ts";
import type { ProgramIo } from "../program-io.ts";
import { addImportCommands } from "./import-commands.ts";
import { addLearnCommand } from "./learn-command.ts";
import { addQuestionCommands } from "./question-commands.ts";
import { addRightsCommands } from "./rights-commands.ts";
import { addUserCommands } from "./user-commands.ts";

const afterHelp = `
It asks the broker that runs with the folder, where changes count at once; or
works on the folder while no broker runs. Run it as the broker's user.

Examples:
  tuser add ada --rights 'ada/#'         asks for a password
  tuser add gate --no-password --allow 'publish gate/%c/#'
  tuser grant ada 'deny publish ada/locked' --at 1
  tuser explain ada publish ada/locked
  tuser import passwd acl --dry-run      from mosquitto
`;

export function newUserCommand(version: string, io: ProgramIo): Command {
  const program = newCommand("tuser", "The users of a broker and what they may do.", io)
    .version(version, "-V, --version", "say which tuser this is")
    .addHelpText("after", afterHelp);
  addDataOption(program);
  addUserCommands(program, io);
  addRightsCommands(program, io);
  addImportCommands(program, io);
  addQuestionCommands(program, io);
  addLearnCommand(program, io);
  return program;
}
