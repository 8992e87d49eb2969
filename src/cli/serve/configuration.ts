/**
 * The configuration of tserve out of its sources: flags win over the environment, the environment over the file, the file over
 * the defaults. What comes out is complete and means something; what does not, is a `ConfigurationError` with a line for
 * each mistake.
 */
import { resolve } from "node:path";
import type { UserListEntries } from "../../auth/index.ts";
import { parseListenUrl } from "../../listeners/index.ts";
import { readEnvironment } from "./configuration-environment.ts";
import { type ConfigurationFile, readConfigurationFile } from "./configuration-file.ts";
import {
  ConfigurationError,
  describeMistake,
  type Mistake,
  readIssues,
} from "./configuration-mistake.ts";
import { type ConfigurationPath, isInside, setAt } from "./configuration-path.ts";
import {
  type ConfigurationShape,
  configurationSchema,
  listKeysAt,
} from "./configuration-schema.ts";
import { readUserList } from "./configuration-users.ts";

/** A value that stands above the file, and what said it: `--listen`, `TSTACK_LISTEN`. */
export interface Override {
  readonly name: string;
  readonly path: ConfigurationPath;
  readonly value: unknown;
}

export interface ConfigurationSources {
  /** The path of the YAML file. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly Override[];
}

export interface Configuration
  extends Pick<
    ConfigurationShape,
    | "listen"
    | "allowAnonymous"
    | "data"
    | "durability"
    | "limits"
    | "queueDrop"
    | "sysTopicsSeconds"
    | "logLevel"
    | "logFormat"
  > {
  readonly users: UserListEntries;
  /** What works but is probably not meant, each one line for people. */
  readonly warnings: readonly string[];
}

/** Variables that are not keys of the configuration: the file, and those of the client programs. */
const otherVariables = ["TSTACK_CONFIG", "TSTACK_BROKER", "TSTACK_USERNAME", "TSTACK_PASSWORD"];

export function loadConfiguration(sources: ConfigurationSources): Configuration {
  const file = sources.file === undefined ? undefined : readConfigurationFile(sources.file);
  const environment = readEnvironment(sources.environment, otherVariables);
  const variables = environment.values.map(({ variable, ...value }) => ({
    name: variable,
    ...value,
  }));
  const overrides = [...variables, ...sources.flags];
  const locator = new Locator(file, overrides);

  const parsed = configurationSchema.safeParse(mergeValues(file, overrides), { reportInput: true });
  if (!parsed.success) {
    const mistakes = readIssues(parsed.error.issues, listKeysAt);
    throw new ConfigurationError([...environment.mistakes, ...locator.describe(mistakes)]);
  }
  const shape = parsed.data;
  const userSource = {
    folder: file?.folder ?? ".",
    locateLine: (path: ConfigurationPath) => locator.locateLine(path),
  };
  const { mistakes, warnings, ...users } = readUserList(shape, userSource);
  const found = [...checkListen(shape.listen), ...mistakes];
  if (environment.mistakes.length + found.length > 0) {
    throw new ConfigurationError([...environment.mistakes, ...locator.describe(found)]);
  }
  return { ...shape, users, warnings: [...environment.warnings, ...warnings] };
}

function mergeValues(file: ConfigurationFile | undefined, overrides: readonly Override[]): unknown {
  const values = file?.values ?? {};
  if (typeof values !== "object" || values === null || Array.isArray(values)) return values;
  const merged = structuredClone(values) as Record<string, unknown>;
  // Relative to the file, as its other paths are: where the broker is started from must not choose what it remembers.
  if (typeof merged.data === "string" && merged.data !== "" && file !== undefined) {
    merged.data = resolve(file.folder, merged.data);
  }
  for (const { path, value } of overrides) setAt(merged, path, value);
  return merged;
}

function checkListen(urls: readonly string[]): Mistake[] {
  return urls.flatMap((url, index) => {
    try {
      parseListenUrl(url);
      return [];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return [{ path: ["listen", index], message }];
    }
  });
}

/** Says where a value came from. */
class Locator {
  readonly #file: ConfigurationFile | undefined;
  readonly #overrides: readonly Override[];

  constructor(file: ConfigurationFile | undefined, overrides: readonly Override[]) {
    this.#file = file;
    this.#overrides = overrides;
  }

  describe(mistakes: readonly Mistake[]): string[] {
    return mistakes.map((mistake) => {
      const place =
        this.#findOverride(mistake.path) ?? this.#file?.locate(mistake.path, mistake.isKey);
      return describeMistake(place ?? "configuration", mistake);
    });
  }

  locateLine(path: ConfigurationPath): string {
    return this.#findOverride(path) ?? this.#file?.locateLine(path) ?? "configuration";
  }

  /** The last source that set the value at `path`, or, without a file, one that set something in it. */
  #findOverride(path: ConfigurationPath): string | undefined {
    const above = this.#overrides.findLast((override) => isInside(path, override.path));
    if (above !== undefined || this.#file !== undefined) return above?.name;
    return this.#overrides.findLast((override) => isInside(override.path, path))?.name;
  }
}
