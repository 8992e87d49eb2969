/**
 * The one entry for `npx tstack`: passes its arguments on to the program that its first word names.
 * Knows no option of any program.
 */

import { readVersion } from "../package-version.ts";
import { type Program, type ProgramIo, runAsProcess } from "./program-io.ts";

interface Command {
  /** The name under which the program is installed beside `tstack`, if it is. */
  readonly program?: string;
  readonly summary: string;
  load(): Promise<{ run: Program }>;
}

/** Loaded when asked for: `tstack --version` must not wait for a broker. */
const commands: Readonly<Record<string, Command>> = {
  serve: {
    program: "tserve",
    summary: "run the broker",
    load: () => import("./tserve.ts"),
  },
  publish: {
    program: "tpublish",
    summary: "send messages",
    load: () => import("./tpublish.ts"),
  },
  subscribe: {
    program: "tsubscribe",
    summary: "print the messages of topics",
    load: () => import("./tsubscribe.ts"),
  },
  monitor: {
    program: "tmonitor",
    summary: "publish the state of this machine",
    load: () => import("./tmonitor.ts"),
  },
  consume: {
    program: "tconsume",
    summary: "write messages to databases, files and other places",
    load: () => import("./tconsume.ts"),
  },
  bench: {
    program: "tbench",
    summary: "put a load on a broker",
    load: () => import("./tbench.ts"),
  },
  user: {
    program: "tuser",
    summary: "the users of a broker and what they may do",
    load: () => import("./tuser.ts"),
  },
  reg: {
    program: "treg",
    summary: "let devices register with a key",
    load: () => import("./treg.ts"),
  },
  register: {
    program: "tregister",
    summary: "register this machine with a broker",
    load: () => import("./tregister.ts"),
  },
  cert: {
    summary: "make a private CA and certificates",
    load: () => import("./cert/cert.ts"),
  },
  backup: {
    summary: "copy all that a broker keeps into one file, while it runs",
    load: () => import("./store/backup.ts"),
  },
  restore: {
    summary: "put a backup back",
    load: () => import("./store/restore.ts"),
  },
  export: {
    summary: "write all that a broker keeps as JSON lines",
    load: () => import("./store/export.ts"),
  },
  import: {
    summary: "read such lines into a new folder",
    load: () => import("./store/import.ts"),
  },
};

const exitCodeMisuse = 2;

/** `tstack serve|publish|subscribe|bench|user|backup|... ...`, `tstack help`, `tstack --version`. */
export async function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const [word = "help", ...rest] = args;
  if (word === "help" || word === "--help" || word === "-h") return help(rest[0], io);
  if (word === "--version") {
    io.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const command = findCommand(word);
  if (command === undefined) return refuse(word, io);
  return (await command.load()).run(rest, io);
}

function findCommand(word: string): Command | undefined {
  return Object.hasOwn(commands, word) ? commands[word] : undefined;
}

function refuse(word: string, io: ProgramIo): number {
  const known = Object.keys(commands).join(", ");
  io.stderr.write(`tstack: there is no command "${word}"; there are ${known}, and help\n`);
  return exitCodeMisuse;
}

async function help(word: string | undefined, io: ProgramIo): Promise<number> {
  if (word !== undefined) {
    const command = findCommand(word);
    return command === undefined ? refuse(word, io) : (await command.load()).run(["--help"], io);
  }
  const lines = Object.entries(commands).map(
    ([name, { program, summary }]) =>
      `  tstack ${name.padEnd(14)} ${summary}${program === undefined ? "" : ` (also as ${program})`}`,
  );
  io.stdout.write(
    `Usage: tstack COMMAND [OPTION...]\n\n${lines.join("\n")}\n` +
      "  tstack help COMMAND   say what its options are\n  tstack --version      say which tStack this is\n",
  );
  return 0;
}

if (import.meta.main) await runAsProcess(run);
