/**
 * Applies the rules of a mapping file: the first whose pattern matches a topic counts. What of it depends on the topic
 * alone is remembered, so that a message costs the same however many rules there are.
 */
import { TstackError } from "../base/index.ts";
import { readLineProtocol } from "./line-protocol.ts";
import type { Mapping } from "./mapping.ts";
import type { ConsumedMessage } from "./message.ts";
import { fillTemplate, namesInTemplate } from "./name-template.ts";
import { readDocument, readText } from "./payload-format.ts";
import type { Reading, Series } from "./reading.ts";
import { RecentMap } from "./recent-map.ts";
import { unreadable } from "./refusals.ts";
import {
  type DocumentRule,
  type LinesRule,
  type Rule,
  readDocumentTime,
  readFields,
  readTags,
} from "./rule.ts";
import { matchTopic } from "./topic-pattern.ts";

/** What a rule makes of a topic. */
interface Route {
  readonly rule: Rule;
  /** Without a name of its own in the rule a line is called after its measurement. */
  readonly series: Series;
}

const none: readonly Reading[] = [];

export class RuleMapping implements Mapping {
  readonly #rules: readonly Rule[];
  readonly #others: Mapping;
  readonly #routes = new RecentMap<Route | "others">();
  /** Those whose tags or name the payload decides. */
  readonly #series = new RecentMap<Series>();

  /** @param others maps what no rule is for */
  constructor(rules: readonly Rule[], others: Mapping) {
    this.#rules = rules;
    this.#others = others;
  }

  map(message: ConsumedMessage): readonly Reading[] {
    const route = this.#routeOf(message.topic);
    if (route === "others") return this.#others.map(message);
    const { payload, place } = route.rule;
    if (payload === undefined) return none;
    try {
      return payload.format === "influx"
        ? this.#mapLines(message, route, payload)
        : this.#mapDocument(message, route, payload);
    } catch (error) {
      if (!(error instanceof TstackError)) throw error;
      throw unreadable(`${error.message} (${place})`, { cause: error });
    }
  }

  #mapDocument(message: ConsumedMessage, route: Route, payload: DocumentRule): readonly Reading[] {
    const document = readDocument(payload.format, message);
    if (document === undefined) return none;
    const fields = readFields(payload, document);
    if (fields.size === 0) return none;
    const time = readDocumentTime(payload, document) ?? message.arrivedAt;
    const tags = payload.tags.length === 0 ? [] : readTags(payload, document);
    return [{ series: this.#seriesOf(route.series, tags), time, fields }];
  }

  #mapLines(message: ConsumedMessage, route: Route, payload: LinesRule): readonly Reading[] {
    const lines = readLineProtocol(readText(message), payload.precision);
    return lines.map(({ measurement, tags, fields, time = message.arrivedAt }) => {
      const name = route.rule.name === undefined ? measurement : undefined;
      return { series: this.#seriesOf(route.series, [...tags], name), time, fields };
    });
  }

  /** A tag of the topic or of the file stays, whatever the payload says: who may publish there is known, to whom else not. */
  #seriesOf(base: Series, tags: readonly [string, string][], name = base.name): Series {
    if (tags.length === 0 && name === base.name) return base;
    const all = sortTags([...tags, ...base.tags]);
    const key = JSON.stringify([base.topic, name, ...all]);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { topic: base.topic, name, tags: all, units: base.units };
    this.#series.set(key, series);
    return series;
  }

  #routeOf(topic: string): Route | "others" {
    const known = this.#routes.get(topic);
    if (known !== undefined) return known;
    const route = this.#findRoute(topic) ?? "others";
    this.#routes.set(topic, route);
    return route;
  }

  #findRoute(topic: string): Route | undefined {
    const levels = topic.split("/");
    for (const rule of this.#rules) {
      const matched = matchTopic(rule.pattern, levels);
      if (matched === undefined) continue;
      const inName = namesInTemplate(rule.name ?? []);
      const name = rule.name === undefined ? matched.plain : fillTemplate(rule.name, matched.named);
      const named = [...matched.named].filter(([key]) => !inName.includes(key));
      const tags = sortTags([...named, ...rule.constants]);
      return { rule, series: { topic, name: name || topic, tags, units: rule.units } };
    }
    return undefined;
  }
}

/** Of several with the same name the last counts. */
function sortTags(tags: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const byName = new Map(tags.filter(([, value]) => value !== ""));
  return new Map([...byName].sort(([one], [other]) => (one < other ? -1 : 1)));
}
