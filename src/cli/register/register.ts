/**
 * A registration from its options to the files. Their places are taken before treg is asked: what it answers is told once,
 * and a registration that cannot be kept is lost.
 */
import { mkdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { isLoopbackUrl, parseListenUrl } from "../../listeners/index.ts";
import { describeSystemError, ProgramFailure, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { formatSettings, ownSettingsFile } from "../settings-file.ts";
import { isThere, WholeFile } from "../whole-file.ts";
import { failWith } from "./failures.ts";
import { parsePin } from "./pinned-certificate.ts";
import { type Registered, requestRegistration } from "./registration-request.ts";

export interface RegisterArguments {
  readonly keyStdin?: boolean;
  readonly keyFile?: string;
  readonly cafile?: string;
  readonly pin?: string;
  readonly settings?: string;
  readonly force?: boolean;
}

interface Files {
  readonly settings: string;
  /** The broker's CA. */
  readonly ca: string;
}

const fileMode = 0o600;
const folderMode = 0o700;

export async function register(
  urlText: string,
  options: RegisterArguments,
  io: ProgramIo,
): Promise<void> {
  const url = readUrl(urlText);
  if (options.pin !== undefined && options.cafile !== undefined) {
    throw new UsageError("--pin and --cafile exclude each other: one says whom to trust");
  }
  const pin = options.pin === undefined ? undefined : parsePin(options.pin);
  const files = chooseFiles(options, io);
  const ca = options.cafile === undefined ? undefined : await readCa(options.cafile);
  const key = await readKey(options, io);
  const places = takePlaces(files);
  let registered: Registered;
  try {
    registered = await requestRegistration({ url, key, ca, pin });
  } catch (error) {
    for (const place of Object.values(places)) place.discard();
    throw error;
  }
  await write(registered, files, places);
  const { name, broker } = registered;
  io.stderr.write(`tregister: registered at ${broker}; the settings are in ${files.settings}\n`);
  if (/^(?:mqtt|ws|tcp):/i.test(broker)) {
    io.stderr.write("tregister: warning: the password will go to this broker unencrypted\n");
  }
  io.stdout.write(`${name}\n`);
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
    throw new UsageError(`the address of treg is https://host:port, not "${text}"`);
  }
  const { protocol, host } = url;
  if (protocol === "http:" && !isLoopbackUrl(parseListenUrl(`ws://${host}`))) {
    throw new UsageError("over plain HTTP everyone on the way could read the key: use https://");
  }
  if (url.pathname === "/") url.pathname = "/register.json";
  return url;
}

function chooseFiles({ settings: named, force }: RegisterArguments, io: ProgramIo): Files {
  const chosen = named ?? (io.environment.TSTACK_SETTINGS || ownSettingsFile(io));
  if (!chosen)
    throw new UsageError("there is no home folder for the settings: add --settings FILE");
  const settings = path.resolve(chosen);
  const { dir, name } = path.parse(settings);
  const ca = path.join(dir, name === "settings" ? "ca.crt" : `${name}.ca.crt`);
  const taken = force ? undefined : [settings, ca].find(isTaken);
  if (taken !== undefined) {
    const message = `this machine is registered already, as ${taken} says: --force registers it anew`;
    throw failWith("alreadyRegistered", message);
  }
  return { settings, ca };
}

function isTaken(file: string): boolean {
  try {
    return isThere(file);
  } catch (error) {
    throw notWritable(file, error);
  }
}

async function readCa(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = describeSystemError(error as Error);
    throw new ProgramFailure(`--cafile ${file}: ${reason}`, { cause: error });
  }
}

async function readKey({ keyStdin, keyFile }: RegisterArguments, io: ProgramIo): Promise<string> {
  if (keyStdin && keyFile !== undefined) {
    throw new UsageError("--key-stdin and --key-file exclude each other");
  }
  const key = (await findKey(keyStdin, keyFile, io)).trim();
  if (key === "") throw new UsageError("the registration key is empty");
  return key;
}

async function findKey(
  keyStdin: boolean | undefined,
  keyFile: string | undefined,
  io: ProgramIo,
): Promise<string> {
  if (keyStdin) return text(io.stdin);
  if (keyFile === undefined && io.environment.TSTACK_REGISTRATION_KEY) {
    return io.environment.TSTACK_REGISTRATION_KEY;
  }
  try {
    return keyFile === undefined
      ? await io.askSecret("Registration key: ")
      : await readFile(keyFile, "utf8");
  } catch (error) {
    throw keyFile === undefined ? noTerminal(error) : unreadableKey(keyFile, error);
  }
}

function noTerminal(error: unknown): UsageError {
  const message =
    "no registration key: give --key-stdin, --key-file FILE or TSTACK_REGISTRATION_KEY";
  return new UsageError(message, { cause: error });
}

function unreadableKey(file: string, error: unknown): ProgramFailure {
  const message = `--key-file ${file}: ${describeSystemError(error as Error)}`;
  return new ProgramFailure(message, { cause: error });
}

function takePlaces({ settings, ca }: Files) {
  try {
    mkdirSync(path.dirname(settings), { recursive: true, mode: folderMode });
    const place = new WholeFile(settings, fileMode);
    try {
      return { settings: place, ca: new WholeFile(ca, fileMode) };
    } catch (error) {
      place.discard();
      throw error;
    }
  } catch (error) {
    throw notWritable(settings, error);
  }
}

function notWritable(file: string, error: unknown): ProgramFailure {
  const isNoFolder = error instanceof Error && "code" in error && error.code === "EEXIST";
  const cause = isNoFolder
    ? "a part of this path is no folder"
    : describeSystemError(error as Error);
  const reason = error instanceof ProgramFailure ? error.message : `cannot write ${file}: ${cause}`;
  return failWith("settingsNotWritable", `${reason}; treg was not asked`, error);
}

async function write(
  { name, password, broker, ca }: Registered,
  files: Files,
  places: ReturnType<typeof takePlaces>,
): Promise<void> {
  const cacertfile = ca === "" ? undefined : files.ca;
  const settings = { username: name, password, broker, cacertfile, verifytls: true };
  try {
    if (ca === "") places.ca.discard();
    else places.ca.write(ca);
    places.settings.write(await formatSettings(settings));
  } catch (error) {
    places.settings.discard();
    rmSync(files.ca, { force: true }); // without its settings it would only be in the way
    throw lost(name, error);
  }
}

function lost(name: string, error: unknown): ProgramFailure {
  const message = `registered as ${name}, but ${(error as Error).message}; its password is lost: have the user removed (tuser remove ${name}), and register again`;
  return failWith("settingsNotWritable", message, error);
}
