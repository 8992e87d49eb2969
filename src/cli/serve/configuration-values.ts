/**
 * The plain values of a configuration out of its sources, before their shape is checked. Paths that stand in the file are
 * relative to it, as what a broker reads and remembers must not depend on where it is started from.
 */
import { resolve } from "node:path";
import type { ConfigurationFile } from "./configuration-file.ts";
import { type ConfigurationPath, setAt } from "./configuration-path.ts";
import { type JsonSchema, writeJsonSchema } from "./configuration-schema.ts";
import { pathFormat } from "./configuration-schema-parts.ts";

/** A value that stands above the file, and what said it: `--listen`, `TSTACK_LISTEN`. */
export interface Override {
  readonly name: string;
  readonly path: ConfigurationPath;
  readonly value: unknown;
}

/** Later overrides win. */
export function mergeValues(
  file: ConfigurationFile | undefined,
  overrides: readonly Override[],
): unknown {
  const values = file?.values ?? {};
  if (!isKeyed(values)) return values;
  const merged = structuredClone(values);
  if (file !== undefined) resolvePaths(merged, writeJsonSchema(), file.folder);
  for (const { path, value } of overrides) {
    openListenerUrl(merged, path);
    setAt(merged, path, value);
  }
  return merged;
}

function isKeyed(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Answers `value` with every path in it that `schema` knows as one; lists and keyed values are changed in place. */
function resolvePaths(value: unknown, schema: JsonSchema, folder: string): unknown {
  if (typeof value === "string") {
    return schema.format === pathFormat && value !== "" ? resolve(folder, value) : value;
  }
  for (const alternative of [schema, ...(schema.anyOf ?? [])]) {
    if (Array.isArray(value) && alternative.items !== undefined) {
      for (const [index, item] of value.entries()) {
        value[index] = resolvePaths(item, alternative.items, folder);
      }
    } else if (isKeyed(value) && alternative.properties !== undefined) {
      for (const [key, inner] of Object.entries(alternative.properties)) {
        if (key in value) value[key] = resolvePaths(value[key], inner, folder);
      }
    }
  }
  return value;
}

/** A listener that is only a URL becomes one with keys, so that one of them can be set: TSTACK_LISTEN_0_TLS_CERT. */
function openListenerUrl(values: Record<string, unknown>, [key, index, inner]: ConfigurationPath) {
  const { listen } = values;
  if (key !== "listen" || inner === undefined || !Array.isArray(listen)) return;
  const url: unknown = listen[Number(index)];
  if (typeof url === "string") listen[Number(index)] = { url };
}
