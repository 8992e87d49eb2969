/**
 * What tserve says once it listens: where, who may connect, what is kept, and a command to try. The same lines are text for
 * people and records of the log for machines.
 */
import type { Storage } from "../../broker/index.ts";
import { parseListenUrl } from "../../listeners/index.ts";
import type { Configuration } from "./configuration.ts";

export interface WelcomeLine {
  /** What the line is about, for people who skim; the first line has none. */
  readonly label?: string;
  readonly text: string;
  readonly fields: object;
}

interface Welcome {
  readonly version: string;
  /** Of the listeners, with their real ports. */
  readonly urls: readonly string[];
  readonly configuration: Configuration;
  readonly storage: Pick<Storage, "durability" | "location">;
}

export function writeWelcome({ version, urls, configuration, storage }: Welcome): WelcomeLine[] {
  const { users } = configuration;
  const commands = writeCommands(urls[0], configuration);
  return [
    { text: `tserve ${version} listens on ${urls.join(", ")}`, fields: { version, listen: urls } },
    {
      label: "who may connect",
      text: describeClients(configuration),
      fields: { users: users.users.length, anonymous: users.anonymous !== undefined },
    },
    {
      label: "what is kept",
      text: describeKeeping(storage),
      fields: { durability: storage.durability, data: storage.location },
    },
    { label: "try next", text: commands.join("   and   "), fields: { commands } },
  ];
}

function describeClients({ users, allowAnonymous }: Configuration): string {
  const { length } = users.users;
  const listed = `${length} ${length === 1 ? "user" : "users"} of the configuration`;
  if (length > 0) {
    return users.anonymous ? `${listed}, and clients without a user name` : listed;
  }
  return allowAnonymous
    ? "anyone, without a password (anonymous clients are allowed)"
    : "anyone on this machine, without a password (no users, so loopback only)";
}

/** Where, and what the end of the process or of the power can cost. */
function describeKeeping({ durability, location }: Welcome["storage"]): string {
  switch (durability) {
    case "fsync":
      return `${location}: what is acknowledged is on disk, and survives a power cut (durability fsync)`;
    case "os":
      return `${location}: what is acknowledged survives the end of tserve; a power cut can cost the last seconds (durability os)`;
    case "memory":
      return "memory: sessions, queues and retained messages end with the process (durability memory)";
  }
}

/** Two commands for two terminals that see each other's messages. */
function writeCommands(url: string, { users }: Configuration): string[] {
  const options = [...describeAddress(url)];
  const [user] = users.users;
  if (user !== undefined && users.anonymous === undefined) {
    options.push("-u", quote(user.name), "--ask-password");
  }
  return [
    ["npx tsubscribe", ...options, "-v -t '#'"].join(" "),
    ["npx tpublish", ...options, "-t hello -m world"].join(" "),
  ];
}

/** Only what differs from the defaults of the clients. */
function describeAddress(url: string): string[] {
  const address = parseListenUrl(url);
  if (address.kind === "unix") return ["--unix", quote(address.path)];
  if (address.kind === "websocket")
    return ["-L", quote(url.replace(/0\.0\.0\.0|\[::\]|(?<=\/\/)(?=:)/, "localhost"))];
  const { host, port } = address;
  const isDefault =
    host === undefined || ["127.0.0.1", "localhost", "0.0.0.0", "::"].includes(host);
  return [...(isDefault ? [] : ["-h", host]), ...(port === 1883 ? [] : ["-p", String(port)])];
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A line as the message of a log record. */
export function formatWelcomeRecord({ label, text }: WelcomeLine): string {
  return label === undefined ? text : `${label}: ${text}`;
}

/** The lines as text: labels in one column. */
export function formatWelcome(lines: readonly WelcomeLine[]): string {
  const width = Math.max(...lines.map(({ label = "" }) => label.length));
  return lines
    .map(({ label, text }) => (label === undefined ? text : `  ${label.padEnd(width)}  ${text}`))
    .map((line) => `${line}\n`)
    .join("");
}
