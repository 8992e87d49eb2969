/** Which sinks the command line asks for, and what it and the environment say for their options. */
import type { Command } from "commander";
import { suggest, TstackError } from "../../base/index.ts";
import { type ConfiguredSink, type SinkKind, sinkKinds } from "../../sinks/index.ts";
import { UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";

export interface ChosenSink {
  /** As in `--sink NAME`. */
  readonly name: string;
  readonly sink: ConfiguredSink;
}

const defaultSink = "stdout";

export function loadSinkKinds(): Promise<SinkKind[]> {
  return Promise.all(Object.values(sinkKinds).map((load) => load()));
}

/** @param asked with `--sink` */
export function namesOfSinks(asked: readonly string[]): readonly string[] {
  return asked.length === 0 ? [defaultSink] : asked;
}

/** @throws {UsageError} also for an option of a sink that is not asked for */
export async function chooseSinks(
  asked: readonly string[],
  command: Command,
  kinds: readonly SinkKind[],
  { environment }: Pick<ProgramIo, "environment">,
): Promise<ChosenSink[]> {
  const names = namesOfSinks(asked);
  checkNames(names, kinds);
  const chosen: ChosenSink[] = [];
  for (const kind of kinds) {
    const isChosen = names.includes(kind.name);
    const values: Record<string, string | undefined> = {};
    for (const { flags, environment: variable } of kind.options) {
      const { long, value } = readOption(command, flags);
      if (value !== undefined && !isChosen) {
        throw new UsageError(`--${long} is for --sink ${kind.name}, which is not asked for`);
      }
      values[long] = value ?? ((variable && environment[variable]) || undefined);
    }
    if (isChosen) chosen.push({ name: kind.name, sink: await configure(kind, values) });
  }
  return chosen;
}

function checkNames(names: readonly string[], kinds: readonly SinkKind[]): void {
  const known = kinds.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) {
      throw new UsageError(`--sink ${name} is there twice: two places need two consumers`);
    }
    if (known.includes(name)) continue;
    const meant = suggest(name, known);
    const hint = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
    throw new UsageError(`there is no sink "${name}"; ${hint}`);
  }
}

/** What the command line says for an option that was added with these flags. */
function readOption(command: Command, flags: string): { long: string; value?: string } {
  const option = command.options.find((candidate) => candidate.flags === flags);
  if (option === undefined) throw new Error(`there is no option ${flags}`);
  const value: unknown = command.getOptionValue(option.attributeName());
  return {
    long: option.name(),
    value: value === undefined ? undefined : String(value),
  };
}

async function configure(
  kind: SinkKind,
  values: Readonly<Record<string, string | undefined>>,
): Promise<ConfiguredSink> {
  try {
    return await kind.configure(values);
  } catch (error) {
    if (!(error instanceof TstackError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
