/**
 * The log of tserve: pino behind the broker's `Log`, as JSON for machines or in a readable form for people. Levels that are
 * off cost a call of an empty function.
 */
import type { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import { build as buildPretty } from "pino-pretty";
import type { Configuration } from "./configuration.ts";

export type LogForm = "pretty" | "json";

/** `auto` is for whoever reads: people have a terminal. */
export function chooseLogForm(format: Configuration["logFormat"], stdout: Writable): LogForm {
  if (format !== "auto") return format;
  return isTerminal(stdout) ? "pretty" : "json";
}

function isTerminal(stream: Writable): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}

export function openLog(level: Configuration["logLevel"], form: LogForm, stdout: Writable): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  };
  if (form === "json") return pino(options, stdout);
  const pretty = buildPretty({
    destination: stdout,
    colorize: isTerminal(stdout),
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
  return pino(options, pretty);
}
