/** The options of a file: where it is, what is in it, and when a new one is begun. */
import { parse, resolve } from "node:path";
import {
  parseBytes,
  parseSeconds,
  readChoice,
  readText,
  readWhole,
  settingMistake,
} from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";
import { type FileFormat, fileFormats } from "./format.ts";

export interface FileSettings {
  readonly path: string;
  readonly format: FileFormat;
  readonly rotation: RotationSettings;
}

export interface RotationSettings {
  /** Infinity for never. */
  readonly bytesMax: number;
  /** Infinity for never. */
  readonly secondsMax: number;
  /** Old files; Infinity for all. */
  readonly filesMax: number;
}

export const fileOptions: readonly SinkOption[] = [
  { flags: "--file-path <file>", description: "what is appended to (default: readings.csv)" },
  {
    flags: "--file-format <name>",
    description: "csv or jsonl (default: what the name of the file ends with)",
  },
  {
    flags: "--file-rotate <limit>",
    description: "a new file at this size or age: 100MB, 1d, never (default: 100MB)",
  },
  { flags: "--file-keep <number>", description: "how many old files are kept (default: all)" },
];

const formatOf: Readonly<Record<string, FileFormat>> = {
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "jsonl",
};
const bytesMaxDefault = 100_000_000;
const bytesMin = 1000;

/** @throws TstackError CONFIGURATION_INVALID */
export function readFileSettings(values: SinkValues): FileSettings {
  const path = readText(values, "file-path", "readings.csv");
  return {
    path: resolve(path),
    format: readFormat(values, path),
    rotation: {
      ...readLimit(values),
      filesMax: readWhole(values, "file-keep", {
        minimum: 1,
        maximum: 1_000_000,
        otherwise: Number.POSITIVE_INFINITY,
      }),
    },
  };
}

function readFormat(values: SinkValues, path: string): FileFormat {
  const otherwise = formatOf[parse(path).ext.toLowerCase()];
  if (otherwise === undefined && values["file-format"] === undefined) {
    throw settingMistake("file-format", `needed for a file that is called ${JSON.stringify(path)}`);
  }
  return readChoice(values, "file-format", { choices: fileFormats, otherwise });
}

function readLimit(values: SinkValues): Omit<RotationSettings, "filesMax"> {
  const text = readText(values, "file-rotate", undefined);
  const never = Number.POSITIVE_INFINITY;
  if (text === undefined) return { bytesMax: bytesMaxDefault, secondsMax: never };
  if (text === "never") return { bytesMax: never, secondsMax: never };
  // A number alone would be both.
  const isTime = /\d[smhd]$/.test(text);
  const seconds = isTime ? parseSeconds(text) : undefined;
  if (seconds !== undefined && seconds > 0) return { bytesMax: never, secondsMax: seconds };
  const bytes = /[a-z]$/i.test(text) && !isTime ? parseBytes(text) : undefined;
  if (bytes !== undefined && bytes >= bytesMin) return { bytesMax: bytes, secondsMax: never };
  throw settingMistake("file-rotate", "a size from 1kB on, a time, or never: 100MB, 12h, 1d", text);
}
