/** The options of Graphite: where carbon listens, how readings are named, and for how long they are sent again. */
import {
  readChoice,
  readPort,
  readSeconds,
  readSwitch,
  readText,
  settingMistake,
} from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";

const protocols = ["plaintext", "pickle"] as const;

export interface GraphiteSettings {
  readonly host: string;
  readonly port: number;
  readonly protocol: (typeof protocols)[number];
  /** Nodes before every path, without a dot at the end; empty for none. */
  readonly prefix: string;
  /** Whether tags go as tags of Graphite 1.1 instead of as nodes of the path. */
  readonly hasTags: boolean;
  readonly resendSeconds: number;
}

export const graphiteOptions: readonly SinkOption[] = [
  { flags: "--graphite-host <name>", description: "where carbon runs (default: localhost)" },
  {
    flags: "--graphite-port <number>",
    description: "where it listens (default: 2003, with pickle 2004)",
  },
  {
    flags: "--graphite-protocol <name>",
    description: "plaintext or pickle (default: plaintext)",
  },
  { flags: "--graphite-prefix <path>", description: "begins every path: servers.berlin" },
  {
    flags: "--graphite-tags",
    description: "sends tags as Graphite's tags, not as parts of the path",
  },
  {
    flags: "--graphite-resend-seconds <time>",
    description:
      "what is sent again when carbon was restarted, since it lost its memory (default: 60)",
  },
];

const portOf = { plaintext: 2003, pickle: 2004 } as const;

/** @throws TstackError CONFIGURATION_INVALID */
export function readGraphiteSettings(values: SinkValues): GraphiteSettings {
  const protocol = readChoice(values, "graphite-protocol", {
    choices: protocols,
    otherwise: "plaintext",
  });
  return {
    host: readText(values, "graphite-host", "localhost"),
    port: readPort(values, "graphite-port", portOf[protocol]),
    protocol,
    prefix: readPrefix(values),
    hasTags: readSwitch(values, "graphite-tags"),
    resendSeconds: readSeconds(values, "graphite-resend-seconds", 60),
  };
}

function readPrefix(values: SinkValues): string {
  const prefix = readText(values, "graphite-prefix", undefined)?.replace(/\.$/, "") ?? "";
  if (!/^(?:[\w-]+(?:\.[\w-]+)*)?$/.test(prefix) || prefix.length > 200) {
    const expected = "names of ASCII letters, digits, _ and - with dots between them";
    throw settingMistake("graphite-prefix", expected, prefix);
  }
  return prefix;
}
