/**
 * The command line that tpublish and tsubscribe share: options by the names of mosquitto_pub and
 * mosquitto_sub, read by commander, except `-D`, whose number of arguments depends on their values.
 * `-h` is the host; help is `--help`. Every mistake is one `UsageError` that says what to write.
 */
import { type Command, CommanderError, Help, Option } from "commander";
import type { ProgramIo } from "../program-io.ts";
import { readProgramVersion } from "../program-version.ts";
import { UsageError } from "./failure.ts";
import { countPropertyArguments } from "./properties.ts";

/** What the shared options say, before environment, files and prompts are asked. */
export interface ConnectionArguments {
  readonly host?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly url?: string;
  readonly bind?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly askPassword?: boolean;
  readonly qos: 0 | 1 | 2;
  readonly id?: string;
  readonly idPrefix?: string;
  readonly keepalive: number;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly disableCleanSession?: boolean;
  readonly sessionExpiryInterval?: number;
  readonly property: readonly (readonly string[])[];
  readonly willTopic?: string;
  readonly willPayload?: string;
  readonly willQos?: 0 | 1 | 2;
  readonly willRetain?: boolean;
  readonly cafile?: string;
  readonly capath?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly tlsAlpn?: string;
  readonly settings?: string;
  readonly timeout?: number;
  readonly reconnect: boolean;
  readonly debug?: boolean;
  readonly quiet?: boolean;
}

/** The longest option leaves its description so many characters on a terminal of 80. */
const helpColumnWidth = 35;

const versions: Readonly<Record<string, 3 | 4 | 5>> = {
  "31": 3,
  "3.1": 3,
  mqttv31: 3,
  "311": 4,
  "3.1.1": 4,
  mqttv311: 4,
  "5": 5,
  "5.0": 5,
  mqttv5: 5,
};

/** A reader of whole numbers between two bounds, for the option that is called `flag`. */
export function readWhole(flag: string, minimum: number, maximum: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new UsageError(`${flag} takes a number from ${minimum} to ${maximum}, not "${text}"`);
    }
    return value;
  };
}

/** A reader of seconds, which may have a fraction. */
export function readSeconds(flag: string) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d*\.?\d+$/.test(text) || value > 2_000_000) {
      throw new UsageError(`${flag} takes seconds from 0 to 2000000, not "${text}"`);
    }
    return value;
  };
}

export function gather(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function readPort(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new UsageError("-p is the port, a number; the password is -P (capital letter)");
  }
  return readWhole("-p", 1, 65_535)(text);
}

function readVersion(text: string): 3 | 4 | 5 {
  const version = versions[text];
  if (version === undefined) throw new UsageError(`-V is 31, 311 or 5, not "${text}"`);
  return version;
}

function readSessionExpiry(text: string): number {
  if (text === "-1" || text === "∞") return 4_294_967_295;
  return readWhole("-x", 0, 4_294_967_295)(text);
}

/** What the help says of an option: an empty list is no default worth telling. */
function describeOption(option: Option): string {
  if (Array.isArray(option.defaultValue)) return option.description;
  return new Help().optionDescription(option);
}

/** Adds the options that every client has; `command` already has its own. */
export function addConnectionOptions(command: Command): Command {
  const readQos = readWhole("-q", 0, 2);
  return command
    .configureHelp({ optionDescription: describeOption, minWidthToWrap: helpColumnWidth })
    .optionsGroup("The broker:")
    .option("-h, --host <name>", "host of the broker (default: localhost)")
    .option("-p, --port <number>", "its port (default: 1883, with TLS 8883)", readPort)
    .option("-L, --url <url>", "mqtt(s)://user:password@host:port/topic, ws(s)://, unix:///path")
    .option("--unix <path>", "connect to a Unix socket")
    .option("--settings <file>", "broker and credentials from this file, which tregister writes")
    .option("-A, --bind <address>", "connect from this local address")
    .option("-u, --username <name>", "user name")
    .option("-P, --password <password>", "password; - asks for it (ps shows what is written here)")
    .option("--password-file <file>", "password: the first line of this file")
    .option("--ask-password", "ask for the password on the terminal, without echo")
    .option("--cafile <file>", "trust these CA certificates (PEM), and use TLS")
    .option("--capath <folder>", "trust the CA certificates (.crt, .pem) of this folder")
    .option("--cert <file>", "certificate of this client (PEM)")
    .option("--key <file>", "its private key (PEM)")
    .option("--insecure", "do not check the host name of the broker; without a CA, check nothing")
    .option("--tls-alpn <protocol>", "ask for this protocol (ALPN)")
    .optionsGroup("The connection:")
    .option("-i, --id <id>", "client identifier (default: made up)")
    .option("-I, --id-prefix <prefix>", "client identifier: this and the process id")
    .option("-k, --keepalive <seconds>", "keep alive", readWhole("-k", 0, 65_535), 60)
    .option(
      "-V, --protocol-version <version>",
      "31, 311 or 5 (default: 311; 5 where -x, -D or another option of MQTT 5 is used)",
      readVersion,
    )
    .option("-c, --disable-clean-session", "keep the session at the broker; needs -i")
    .option(
      "-x, --session-expiry-interval <seconds>",
      "keep the session so long",
      readSessionExpiry,
    )
    .addOption(
      new Option(
        "-D, --property <packet...>",
        "MQTT 5 property: packet name value, or packet user-property name value",
      )
        .argParser((text: string, before: string[][]) => [...before, JSON.parse(text) as string[]])
        .default([]),
    )
    .option("-q, --qos <level>", "quality of service, 0, 1 or 2", readQos, 0)
    .option("--will-topic <topic>", "the broker publishes a will there if this client disappears")
    .option("--will-payload <text>", "its payload (default: empty)")
    .option("--will-qos <level>", "its quality of service", readWhole("--will-qos", 0, 2))
    .option("--will-retain", "retain it")
    .option("--no-reconnect", "end when the connection is lost")
    .option("-W, --timeout <seconds>", "end after so many seconds, with code 27", readSeconds("-W"))
    .optionsGroup("Talk:")
    .option("-d, --debug", "tell each packet on stderr")
    .option("--quiet", "no errors on stderr, only the exit code")
    .helpOption("--help", "show this")
    .version(readProgramVersion(), "--version", "show the version")
    .addHelpText(
      "after",
      `
Environment: TSTACK_BROKER (a URL as for -L), TSTACK_USERNAME, TSTACK_PASSWORD;
options win.
Settings: where neither options nor TSTACK_BROKER name a broker, the first of
--settings, TSTACK_SETTINGS, ~/.config/tstack/settings.yml and
/etc/tstack/settings.yml; all else wins.
Exit code: 0, the reason code of a refused connection (CONNACK), 27 after -W,
1 for all else.`,
    );
}

/**
 * The options in `args`. Where help or the version was asked for, it is printed and the result is
 * undefined. @throws {UsageError}
 */
export function parseArguments<Options>(
  command: Command,
  args: readonly string[],
  io: ProgramIo,
): Options | undefined {
  command
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr() {} });
  try {
    command.parse(joinProperties(command, args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(explain(error, command), { cause: error });
  }
  return command.opts<Options & Record<string, unknown>>();
}

function explain(error: CommanderError, command: Command): string {
  if (error.code === "commander.excessArguments") {
    return `"${command.args[0]}" belongs to no option: quote what has spaces`;
  }
  return error.message.replace(/^error: /, "").replaceAll("\n", " ");
}

/**
 * Makes one argument out of the three or four of each `-D`, and `--password` out of mosquitto's
 * `--pw`. It must not mistake the value of an option for an option, so it knows which take one.
 */
function joinProperties(command: Command, args: readonly string[]): string[] {
  const takesValue = new Set(
    command.options.filter((option) => option.required).flatMap(({ short, long }) => [short, long]),
  );
  const result: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index];
    if (argument === "-D" || argument === "--property") {
      const count = countPropertyArguments(args[index + 2]);
      const declaration = args.slice(index + 1, index + 1 + count);
      if (declaration.length < count) {
        throw new UsageError(
          "-D takes packet name value, as in -D publish content-type text/plain, or packet user-property name value",
        );
      }
      result.push(`--property=${JSON.stringify(declaration)}`);
      index += count;
      continue;
    }
    result.push(argument.replace(/^--pw(?==|$)/, "--password"));
    if (
      takesValue.has(argument) ||
      argument === "--pw" ||
      endsInValueOption(argument, takesValue)
    ) {
      index += 1;
      if (index < args.length) result.push(args[index]);
    }
  }
  return result;
}

/** `-rt topic`: the last of joined short options takes the next argument. */
function endsInValueOption(argument: string, takesValue: ReadonlySet<string | undefined>): boolean {
  if (!/^-[A-Za-z]{2,}$/.test(argument)) return false;
  const first = [...argument.slice(1)].findIndex((letter) => takesValue.has(`-${letter}`));
  return first === argument.length - 2;
}
