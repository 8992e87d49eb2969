/**
 * Figures of a command of the user: each line that it prints is `name value`. It runs beside the others, so that a slow one
 * holds nothing up, and its figures go out at the next look. Nothing is published of a run that has failed, or has printed
 * anything else.
 */
import type { NamedCommand } from "./command-line-words.ts";
import type { Figure } from "./figure.ts";
import { runCommand } from "./run-command.ts";
import type { Source } from "./source.ts";
import { toTopicLevel } from "./topic-level.ts";

const linesMax = 1000;
const levelsMax = 8;
const commandSecondsMax = 30;
const bytesMax = 65_536;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export class CommandSource implements Source {
  readonly name: string;
  readonly #command: NamedCommand;
  readonly #signal: AbortSignal;
  readonly #secondsMax: number;
  #running = false;
  #figures: readonly Figure[] = [];
  #failure: unknown;

  constructor(command: NamedCommand, signal: AbortSignal, secondsMax = commandSecondsMax) {
    this.name = `the command ${command.name}`;
    this.#command = command;
    this.#signal = signal;
    this.#secondsMax = secondsMax;
  }

  /** What its last run has printed, once, and starts the next. */
  async read(): Promise<readonly Figure[]> {
    const figures = this.#figures;
    const failure = this.#failure;
    this.#figures = [];
    this.#failure = undefined;
    if (!this.#running) void this.#run();
    if (failure !== undefined) throw failure;
    return figures;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      const output = await runCommand(this.#command.words, {
        secondsMax: this.#secondsMax,
        bytesMax,
        signal: this.#signal,
      });
      this.#figures = parseFigures(this.#command.name, output);
    } catch (error) {
      this.#failure = error;
    }
    this.#running = false;
  }
}

/** @throws {Error} that names the first line which is none, in words for people. */
export function parseFigures(commandName: string, output: string): Figure[] {
  const figures = new Map<string, Figure>();
  for (const [index, line] of output.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [name, text, more] = line.trim().split(/[ \t]+/);
    const mistake =
      more === undefined ? (nameMistake(name) ?? valueMistake(text)) : "has more than two words";
    if (mistake !== undefined) {
      const shown = JSON.stringify(line.slice(0, 60));
      throw new Error(`line ${index + 1} is not "name value", it ${mistake}: ${shown}`);
    }
    const path = `${commandName}/${name}`;
    figures.set(path, { path, kind: "number", value: Number(text) });
    if (figures.size > linesMax) throw new Error(`prints more than ${linesMax} figures`);
  }
  checkNesting(figures);
  return [...figures.values()];
}

function nameMistake(name: string): string | undefined {
  const levels = name.split("/");
  if (levels.length > levelsMax) return `has a name of more than ${levelsMax} levels`;
  const isSafe = levels.every((level) => toTopicLevel(level) === level);
  return isSafe ? undefined : "has a name that makes no topic";
}

function valueMistake(text: string | undefined): string | undefined {
  if (text === undefined) return "has no value";
  return numberPattern.test(text) && Number.isFinite(Number(text)) ? undefined : "has no number";
}

/** `--json` has one place for each name: no figure can be a group of others too. */
function checkNesting(figures: ReadonlyMap<string, Figure>): void {
  for (const path of figures.keys()) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const above = path.slice(0, end);
      if (figures.has(above)) throw new Error(`prints ${path} below ${above}, which is a figure`);
    }
  }
}
