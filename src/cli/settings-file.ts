/**
 * The settings file: the broker and the credentials of this machine, written by tregister and read by all client programs,
 * so that they work without options. It holds a password: it is its owner's alone, and nothing of it is ever told.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { suggest } from "../base/index.ts";
import { parseBrokerUrl } from "./client/broker-url.ts";
import { describeSystemError, ProgramFailure } from "./client/failure.ts";
import type { ProgramIo } from "./program-io.ts";

export interface Settings {
  readonly username?: string;
  readonly password?: string;
  /** A URL without credentials and without a topic. */
  readonly broker?: string;
  /** PEM; of the file, relative to it. */
  readonly cacertfile?: string;
  /** False is `--insecure`. */
  readonly verifytls?: boolean;
}

const kinds = {
  username: "string",
  password: "string",
  broker: "string",
  cacertfile: "string",
  verifytls: "boolean",
} as const satisfies Record<keyof Settings, "string" | "boolean">;

const systemFile = "/etc/tstack/settings.yml";
const bytesMax = 65_536;
/** What others than the owner may do. */
const othersMask = 0o077;

/** `$XDG_CONFIG_HOME/tstack/settings.yml`, by default in `~/.config`; undefined for a user without a home. */
export function ownSettingsFile({ environment }: Pick<ProgramIo, "environment">) {
  const { XDG_CONFIG_HOME, HOME } = environment;
  const folder = XDG_CONFIG_HOME || (HOME && path.join(HOME, ".config"));
  return folder ? path.join(folder, "tstack", "settings.yml") : undefined;
}

/** The file that counts: the one that is named, or the first that is there. */
export async function findSettingsFile(
  named: string | undefined,
  io: Pick<ProgramIo, "environment">,
): Promise<string | undefined> {
  const explicit = named ?? (io.environment.TSTACK_SETTINGS || undefined);
  if (explicit !== undefined) return explicit;
  for (const file of [ownSettingsFile(io), systemFile]) {
    if (file !== undefined && (await isThere(file))) return file;
  }
  return undefined;
}

/** Whether the file is there as far as this user can see; one that cannot be looked at is none of this user's. */
async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** `warn` is told when others may read it. @throws ProgramFailure with the line of what is wrong */
export async function readSettings(file: string, warn: (line: string) => void): Promise<Settings> {
  const text = await readText(file);
  const { mode } = await stat(file);
  if ((mode & othersMask) !== 0) {
    warn(`others than its owner may read ${file}, which holds a password: chmod 600 ${file}`);
  }
  const settings = await parseSettings(text, file);
  const { cacertfile } = settings;
  if (cacertfile === undefined) return settings;
  return { ...settings, cacertfile: path.resolve(path.dirname(file), cacertfile) };
}

async function readText(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    if (text.length <= bytesMax) return text;
  } catch (error) {
    const message = `the settings file ${file}: ${describeSystemError(error as Error)}`;
    throw new ProgramFailure(message, { cause: error });
  }
  throw new ProgramFailure(`the settings file ${file} has more than ${bytesMax} bytes`);
}

async function parseSettings(text: string, file: string): Promise<Settings> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const fail = (offset: number, message: string): never => {
    throw new ProgramFailure(`${file}:${lineCounter.linePos(offset).line}: ${message}`);
  };
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  // The library's words repeat the line, and a password may stand in it.
  if (error !== undefined) fail(error.pos[0], "this is no YAML: each line is KEY: VALUE");
  const { contents } = document;
  if (contents === null) return {};
  if (!isMap(contents)) return fail(0, "each line is KEY: VALUE");
  const settings: Record<string, unknown> = {};
  for (const { key, value } of contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const name = isScalar(key) ? String(key.value) : "";
    if (!isKnown(name)) return fail(offset, describeUnknown(name));
    const given = isScalar(value) ? value.value : undefined;
    if (typeof given !== kinds[name]) return fail(offset, `${name} ${describeKind(name)}`);
    const mistake = name === "broker" ? findMistakeInBroker(String(given)) : undefined;
    if (mistake !== undefined) return fail(offset, mistake);
    settings[name] = given;
  }
  return settings;
}

function isKnown(name: string): name is keyof Settings {
  return Object.hasOwn(kinds, name);
}

function describeUnknown(name: string): string {
  const names = Object.keys(kinds);
  const meant = suggest(name, names);
  const hint = meant === undefined ? `there are ${names.join(", ")}` : `did you mean ${meant}?`;
  return `there is no setting ${JSON.stringify(name)}; ${hint}`;
}

function describeKind(name: keyof Settings): string {
  return kinds[name] === "boolean" ? "is true or false" : 'is text: put it in "quotes"';
}

function findMistakeInBroker(text: string): string | undefined {
  try {
    const { username, topic } = parseBrokerUrl(text);
    return username === undefined && topic === undefined
      ? undefined
      : "broker is a URL without credentials and topic: those go into username and password";
  } catch (error) {
    return `broker: ${(error as Error).message}`;
  }
}

/** The text of a settings file. */
export async function formatSettings(settings: Settings): Promise<string> {
  const { stringify } = await import("yaml");
  return `# Written by tregister, read by tpublish, tsubscribe and the like. Keep it to yourself.\n${stringify(settings)}`;
}
