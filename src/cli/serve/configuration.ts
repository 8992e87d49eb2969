/**
 * The configuration of tserve out of its sources: flags win over the environment, the environment over the file, the file over
 * the defaults. What comes out is complete and means something; what does not, is a `ConfigurationError` with a line for
 * each mistake.
 */
import type { ConfiguredUser } from "../../auth/index.ts";
import { checkAuthentication } from "./configuration-authentication.ts";
import { readEnvironment } from "./configuration-environment.ts";
import { type ConfigurationFile, readConfigurationFile } from "./configuration-file.ts";
import { type ListenerConfiguration, readListeners } from "./configuration-listeners.ts";
import {
  ConfigurationError,
  describeMistake,
  type Findings,
  type Mistake,
  readIssues,
} from "./configuration-mistake.ts";
import { type ConfigurationPath, isInside } from "./configuration-path.ts";
import {
  type ConfigurationShape,
  configurationSchema,
  listKeysAt,
} from "./configuration-schema.ts";
import { readUsers } from "./configuration-users.ts";
import { mergeValues, type Override } from "./configuration-values.ts";

export interface ConfigurationSources {
  /** The path of the YAML file. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly Override[];
}

export interface Configuration
  extends Pick<
    ConfigurationShape,
    | "authentication"
    | "data"
    | "durability"
    | "limits"
    | "queueDrop"
    | "sysTopicsSeconds"
    | "logLevel"
    | "logFormat"
  > {
  readonly listeners: readonly ListenerConfiguration[];
  readonly users: readonly ConfiguredUser[];
  /** What works but is probably not meant, each one line for people. */
  readonly warnings: readonly string[];
}

/** Variables that are not keys of the configuration: the file, and those of the other programs. */
const otherVariables = [
  "TSTACK_CONFIG",
  "TSTACK_BROKER",
  "TSTACK_USERNAME",
  "TSTACK_PASSWORD",
  "TSTACK_NEW_PASSWORD",
  "TSTACK_SETTINGS",
  "TSTACK_REGISTRATION_KEY",
];

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
  const findings: Findings = {
    mistakes: [],
    warnings: [...environment.warnings],
    locateLine: (path) => locator.locateLine(path),
  };
  checkAuthentication(shape.authentication, findings);
  const listeners = readListeners(shape, findings);
  const users = readUsers(shape.users, listeners, findings);
  if (environment.mistakes.length + findings.mistakes.length > 0) {
    const lines = locator.describe(findings.mistakes);
    throw new ConfigurationError([...environment.mistakes, ...lines]);
  }
  return { ...shape, users, listeners, warnings: findings.warnings };
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

  /** The last source that set the value at `path`, or, without a file, one that set something in it or beside it. */
  #findOverride(path: ConfigurationPath): string | undefined {
    const above = this.#overrides.findLast((override) => isInside(path, override.path));
    if (above !== undefined || this.#file !== undefined) return above?.name;
    for (let depth = path.length; depth > 0; depth--) {
      const around = path.slice(0, depth);
      const near = this.#overrides.findLast((override) => isInside(override.path, around));
      if (near !== undefined) return near.name;
    }
    return undefined;
  }
}
