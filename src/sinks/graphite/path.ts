/**
 * Names as paths of Graphite. Whatever a topic, a tag or a field holds, a node is made of ASCII letters, digits, `_`
 * and `-` only and is never empty: nothing in it means anything to carbon, to whisper's files or to a pattern of Graphite.
 */
import { type Series, valueField } from "../../readings/index.ts";

/** A file of whisper is named after a node, and file systems end at 255 bytes. */
const nodeCharactersMax = 200;
/** With carbon's folder before it below the 4096 of a path, and a line far below the 16,384 that carbon reads. */
const pathCharactersMax = 2000;

interface SeriesPath {
  readonly name: string;
  /** `;room=hall`, or nothing. */
  readonly tags: string;
}

export interface PathSettings {
  readonly prefix: string;
  readonly hasTags: boolean;
}

/** Makes the path of a field. What a series begins with is made once. */
export function createPathMaker({ prefix, hasTags }: PathSettings) {
  const made = new WeakMap<Series, SeriesPath>();
  const makeSeries = ({ name, tags }: Series): SeriesPath => {
    const levels = name.split("/").filter((level) => level !== "");
    const nodes = levels.length === 0 ? ["_"] : levels.map(toNode);
    if (prefix !== "") nodes.unshift(prefix);
    const pairs = Array.from(tags, (pair) => pair.map(toNode));
    if (!hasTags) return { name: [...nodes, ...pairs.flat()].join("."), tags: "" };
    return { name: nodes.join("."), tags: pairs.map(toTag).join("") };
  };
  return (series: Series, field: string): string => {
    let path = made.get(series);
    if (path === undefined) {
      path = makeSeries(series);
      made.set(series, path);
    }
    return field === valueField
      ? `${path.name}${path.tags}`
      : `${path.name}.${toNode(field)}${path.tags}`;
  };
}

/** Why neither carbon nor whisper could have this path; undefined where they can. */
export function findPathFault(path: string): string | undefined {
  if (path.length > pathCharactersMax) {
    return `a path of ${path.length} characters: Graphite has ${pathCharactersMax} at most`;
  }
  const long = path.split(/[.;]/).find((node) => node.length > nodeCharactersMax);
  if (long === undefined) return undefined;
  return `a name of ${long.length} characters: Graphite has ${nodeCharactersMax} at most`;
}

/** Other ASCII characters are `_`, all others `_` and their code, so that two names of another script stay two. */
function toNode(text: string): string {
  if (text === "") return "_";
  return text.replace(/[^\w-]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80 ? "_" : `_${code.toString(16)}`;
  });
}

/** The tag `name` is the path itself: carbon would put it in place of ours. */
function toTag([name, value]: readonly string[]): string {
  return `;${name === "name" ? "_name" : name}=${value}`;
}
