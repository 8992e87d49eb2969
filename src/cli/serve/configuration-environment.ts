/**
 * The environment variables of the configuration: `limits.packetBytesMax` is `TSTACK_LIMITS_PACKET_BYTES_MAX`, and
 * `listen[0].tls.cert` is `TSTACK_LISTEN_0_TLS_CERT`. A variable with `_FILE` behind it names a file that holds the value.
 * An empty variable counts as not set.
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { suggest } from "../../base/index.ts";
import { describeCause } from "./configuration-file.ts";
import type { ConfigurationPath } from "./configuration-path.ts";
import { type JsonSchema, writeJsonSchema } from "./configuration-schema.ts";

const prefix = "TSTACK_";

/** A key that a variable can set; an index of a list is `*` in its path. */
export interface Setting {
  readonly path: readonly string[];
  readonly variable: string;
  readonly schema: JsonSchema;
}

/** Every key of the configuration, in the order of the schema. */
export function listSettings(): Setting[] {
  return listSettingsOf(writeJsonSchema(), []);
}

function listSettingsOf(schema: JsonSchema, path: readonly string[]): Setting[] {
  const own = path.length === 0 || schema.properties ? [] : [toSetting(schema, path)];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    listSettingsOf(value, [...path, key]),
  );
  return [...own, ...inner, ...listItemSettings(schema.items, path)];
}

/** Of items that have keys, or may have them instead of being one text. */
function listItemSettings(items: JsonSchema | undefined, path: readonly string[]): Setting[] {
  const withKeys = [items, ...(items?.anyOf ?? [])].find((schema) => schema?.properties);
  return withKeys === undefined ? [] : listSettingsOf(withKeys, [...path, "*"]);
}

function toSetting(schema: JsonSchema, path: readonly string[]): Setting {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return { path, variable: `${prefix}${words.join("_")}`, schema };
}

export interface EnvironmentValue {
  readonly variable: string;
  readonly path: ConfigurationPath;
  readonly value: unknown;
}

export interface EnvironmentSettings {
  readonly values: readonly EnvironmentValue[];
  /** Each one line for people. */
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads the variables that begin with `TSTACK_`; `others` are variables that are not settings but known. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  others: readonly string[],
): EnvironmentSettings {
  const settings = listSettings();
  const values: EnvironmentValue[] = [];
  const mistakes: string[] = [];
  const warnings: string[] = [];
  // Short paths first: TSTACK_USERS gives the list into which TSTACK_USERS_0_NAME then writes.
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (!variable.startsWith(prefix) || !text || others.includes(variable)) continue;
    const found = findSetting(settings, variable);
    if (found === undefined) {
      const suggestion = suggest(
        variable,
        settings.map((setting) => setting.variable),
      );
      if (suggestion === undefined) warnings.push(`${variable} is not a setting of tserve`);
      else mistakes.push(`${variable}: unknown variable; did you mean ${suggestion}?`);
      continue;
    }
    try {
      const read = found.isFile ? readFileSync(text, "utf8").replace(/\r?\n$/, "") : text;
      values.push({ variable, path: found.path, value: convert(read, found.setting.schema) });
    } catch (error) {
      mistakes.push(`${variable}: ${describeCause(error).split("\n", 1)[0]}`);
    }
  }
  return { values, mistakes, warnings };
}

function findSetting(settings: readonly Setting[], variable: string) {
  const exact = matchVariable(settings, variable);
  if (exact !== undefined || !variable.endsWith("_FILE")) return exact;
  const named = matchVariable(settings, variable.slice(0, -"_FILE".length));
  return named === undefined ? undefined : { ...named, isFile: true };
}

function matchVariable(settings: readonly Setting[], variable: string) {
  for (const setting of settings) {
    const match = new RegExp(`^${setting.variable.replaceAll("*", "(\\d{1,4})")}$`).exec(variable);
    if (match === null) continue;
    const indices = match.slice(1).map(Number);
    const path = setting.path.map((key) => (key === "*" ? (indices.shift() ?? 0) : key));
    return { setting, path, isFile: false };
  }
  return undefined;
}

/** Text that fits no type stays text, so that the check of the schema names the mistake. */
function convert(text: string, schema: JsonSchema): unknown {
  switch (schema.type) {
    case "integer":
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case "boolean":
      return { true: true, false: false }[text.trim()] ?? text;
    case "string":
      return text;
    default:
      // Lists, and rights, which are one filter or a list.
      return /^\s*[[{-]/.test(text) ? parse(text) : text.split(",").map((item) => item.trim());
  }
}
