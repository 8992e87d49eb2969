/**
 * A configuration file as the plain values it holds, with the line and column of each of them. Knows YAML and
 * nothing of what the values mean.
 */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import { ConfigurationError } from "./configuration-mistake.ts";
import type { ConfigurationPath } from "./configuration-path.ts";

/** More than any list of users written by hand; a larger one belongs into a database. */
const bytesMax = 16_777_216;

export interface ConfigurationFile {
  /** What relative paths in the file are relative to. */
  readonly folder: string;
  readonly values: unknown;
  /** `tserve.yaml:7:5`, of the value at `path` or of what is nearest around it; of the key with `isKey`. */
  locate(path: ConfigurationPath, isKey?: boolean): string;
  /** `tserve.yaml:7`, for the rules that decisions name. */
  locateLine(path: ConfigurationPath): string;
}

/** Throws `ConfigurationError` when the file cannot be read or is not YAML. */
export function readConfigurationFile(file: string): ConfigurationFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter });
  const name = basename(file);
  const locateOffset = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: `${name}:${line}`, column: `${name}:${line}:${col}` };
  };
  if (document.errors.length > 0) {
    throw new ConfigurationError(
      document.errors.map(
        (error) => `${locateOffset(error.pos[0]).column}: ${firstLine(error.message)}`,
      ),
    );
  }
  return {
    folder: dirname(file),
    values: readValues(document, name),
    locate: (path, isKey) => locateOffset(findOffset(document, path, isKey)).column,
    locateLine: (path) => locateOffset(findOffset(document, path)).line,
  };
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length <= bytesMax) return text;
  } catch (error) {
    throw new ConfigurationError([`cannot read ${describeCause(error, file)}`], {
      cause: error,
    });
  }
  throw new ConfigurationError([`${file} has more than ${bytesMax} bytes`]);
}

/** `tserve.yaml: no such file or directory`, out of Node's message for the same; other errors say it themselves. */
export function describeCause(error: unknown, file = "the file"): string {
  if (!(error instanceof Error)) return String(error);
  const { path = file, message } = error as NodeJS.ErrnoException;
  const match = /^\w+: (.*?), \w+/.exec(message);
  return match === null ? message : `${path}: ${match[1]}`;
}

function readValues(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    // An alias that grows beyond measure, or one without an anchor.
    throw new ConfigurationError([`${name}: ${firstLine(describeCause(error))}`], { cause: error });
  }
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0].replace(/ at line \d+, column \d+:?$/, "");
}

function findOffset(document: Document, path: ConfigurationPath, isKey = false): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, key] of path.entries()) {
    const { keyNode, valueNode } = findChild(document, node, key);
    if (valueNode === null && keyNode === null) break;
    const wantsKey = isKey && index === path.length - 1;
    offset = startOf(wantsKey ? keyNode : (valueNode ?? keyNode)) ?? offset;
    node = valueNode;
  }
  return offset;
}

function findChild(document: Document, parent: Node | null, key: string | number) {
  const container = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(container)) {
    const pair = container.items.find((item) => isScalar(item.key) && item.key.value === key);
    return { keyNode: toNode(pair?.key), valueNode: toNode(pair?.value) };
  }
  const item = isCollection(container) ? container.items[Number(key)] : null;
  return { keyNode: null, valueNode: toNode(item) };
}

function toNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}
