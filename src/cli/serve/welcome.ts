/**
 * What tserve says once it listens: where, who may connect, what is kept, and a command to try. The same lines are text for
 * people and records of the log for machines.
 */
import type { Storage } from "../../broker/index.ts";
import { parseListenUrl } from "../../listeners/index.ts";
import { describeClients, type OpenListener, type UserCounts } from "./welcome-clients.ts";

export interface WelcomeLine {
  /** What the line is about, for people who skim; the first line has none, nor has one that goes on. */
  readonly label?: string;
  readonly text: string;
  readonly fields: object;
}

interface Welcome {
  readonly version: string;
  readonly listeners: readonly OpenListener[];
  readonly users: UserCounts;
  /** A user who can log in, for the commands to try. */
  readonly exampleUser: string | undefined;
  readonly storage: Pick<Storage, "durability" | "location">;
  /** With --learn: what is noted, and where. */
  readonly learning: string | undefined;
}

export function writeWelcome(welcome: Welcome): WelcomeLine[] {
  const { version, listeners, users, storage, learning } = welcome;
  const urls = listeners.map(({ url }) => url);
  const commands = writeCommands(welcome);
  return [
    { text: `tserve ${version} listens on ${urls.join(", ")}`, fields: { version, listen: urls } },
    ...describeClients(listeners, users).map(({ text, fields }) => ({
      label: "who may connect",
      text,
      fields,
    })),
    {
      label: "what is kept",
      text: describeKeeping(storage),
      fields: { durability: storage.durability, data: storage.location },
    },
    ...(learning === undefined ? [] : [{ label: "learns", text: learning, fields: { learning } }]),
    { label: "try next", text: commands.join("   and   "), fields: { commands } },
  ];
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
function writeCommands({ listeners, exampleUser }: Welcome): string[] {
  // One that is not encrypted needs no CA.
  const plain = listeners.find(({ configuration }) => configuration.tls === undefined);
  const { url, configuration, acceptsAnonymous } = plain ?? listeners[0];
  const options = [...describeAddress(url)];
  if (exampleUser !== undefined && !acceptsAnonymous && configuration.chain.includes("users")) {
    options.push("-u", quote(exampleUser), "--ask-password");
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
  const reachable = url.replace(/0\.0\.0\.0|\[::\]|(?<=\/\/)(?=:)/, "localhost");
  if (address.kind !== "tcp" || /^mqtts:/i.test(url)) return ["-L", quote(reachable)];
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

/** The lines as text: labels in one column, each only once. */
export function formatWelcome(lines: readonly WelcomeLine[]): string {
  const width = Math.max(...lines.map(({ label = "" }) => label.length));
  return lines
    .map(({ label, text }, index) => {
      if (label === undefined) return text;
      const shown = label === lines[index - 1]?.label ? "" : label;
      return `  ${shown.padEnd(width)}  ${text}`;
    })
    .map((line) => `${line}\n`)
    .join("");
}
