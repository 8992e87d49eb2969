/**
 * What an attacker asks for who knows a right, and a model of what of it may be granted. The model knows nothing of how
 * filters relate: it matches topics, of all words that stand in either of two filters and one that stands in neither.
 */

const lookAlikes: Readonly<Record<string, string>> = {
  a: "\u0430", // Cyrillic
  b: "\u{1d41b}",
  o: "\u03bf",
  e: "e\u0301",
  "+": "\uff0b",
  "#": "\uff03",
  "/": "\u2215",
  $: "\uff04",
};

/** Every filter that differs from `right` in one or two places where rights may be widened; invalid ones too. */
export function mutate(right: string): string[] {
  const found = new Set<string>([right]);
  for (const near of changeLevels(right)) {
    found.add(near);
    for (const further of changeLevels(near)) found.add(further);
  }
  for (const filter of [...found]) {
    for (const group of ["g", "$SYS", "a b"]) found.add(`$share/${group}/${filter}`);
  }
  for (const broken of [`$share//${right}`, `$share/+/${right}`, `$share/#/${right}`])
    found.add(broken);
  for (const other of [`$SHARE/g/${right}`, `$share/g`, `/$share/g/${right}`, `$shared/g/${right}`])
    found.add(other);
  for (const [letter, other] of Object.entries(lookAlikes)) {
    if (right.includes(letter)) found.add(right.replaceAll(letter, other));
  }
  const whole = ["#", "+", "+/#", "/#", "+/+", "+/+/#", "$SYS/#", "$tstack/#", "$share/g/#"];
  for (const filter of [...whole, `${right}/`, `/${right}`, `${right}#`, `${right}+`, ` ${right}`])
    found.add(filter);
  return [...found, right.toUpperCase(), right.normalize("NFD"), `\ufeff${right}`].filter(
    (filter) => filter !== "",
  );
}

function changeLevels(filter: string): string[] {
  const levels = filter.split("/");
  const changed: string[] = [];
  levels.forEach((level, index) => {
    for (const other of ["+", "#", "", "z", `${level}+`])
      changed.push(withLevel(levels, index, other));
    changed.push(levels.slice(0, index).join("/"), [...levels.slice(0, index), "#"].join("/"));
    changed.push([...levels.slice(0, index), "+", ...levels.slice(index)].join("/"));
    changed.push([...levels.slice(0, index), ...levels.slice(index + 1)].join("/"));
  });
  changed.push(`${filter}/+`, `${filter}/#`, `${filter}/z`, `${filter}/`);
  return changed.filter((other) => other !== "");
}

function withLevel(levels: readonly string[], index: number, level: string): string {
  return levels.map((own, at) => (at === index ? level : own)).join("/");
}

/** The filter behind `$share/group/`; undefined where the standard allows no such filter. */
export function readFilter(filter: string): string | undefined {
  const shared = /^\$share\/([^/]*)\/(.*)$/s.exec(filter);
  if (filter.startsWith("$share/") && shared === null) return undefined;
  if (shared !== null && !/^[^+#]+$/.test(shared[1])) return undefined;
  const plain = shared === null ? filter : shared[2];
  const levels = plain.split("/");
  const isSound = levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
  return plain !== "" && isSound ? plain : undefined;
}

export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  return matchLevels(filter.split("/"), topic.split("/"));
}

function matchLevels([first, ...rest]: string[], topic: string[]): boolean {
  if (first === "#") return true;
  if (first === undefined || topic.length === 0) return first === undefined && topic.length === 0;
  return (first === "+" || first === topic[0]) && matchLevels(rest, topic.slice(1));
}

export interface ModelRule {
  readonly allow: boolean;
  readonly filter: string;
  /** It is for these only. */
  readonly qos?: readonly number[];
}

/** Topics that tell `filter` and the rules apart, as far as any can. */
function tellingTopics(filter: string, rules: readonly ModelRule[]): string[] {
  const all = [filter, ...rules.map((rule) => rule.filter)].map((one) => one.split("/"));
  const depth = Math.max(...all.map((levels) => levels.length)) + 1;
  let beginnings: string[][] = [[]];
  const topics: string[] = [];
  for (let at = 0; at < depth; at++) {
    const words = new Set(["zz", "", ...all.map((levels) => levels[at] ?? "zz")]);
    if (at === 0) words.add("$zz");
    const fit = [...words].filter((word) => word !== "+" && word !== "#");
    beginnings = beginnings.flatMap((levels) => fit.map((word) => [...levels, word]));
    topics.push(...beginnings.map((levels) => levels.join("/")));
  }
  return topics.filter((topic) => topic !== "");
}

/** Whether what `filter` would deliver is allowed to the last topic, by the first rule that says something of each. */
export function mayBeGranted(filter: string, qos: number, rules: readonly ModelRule[]): boolean {
  const delivered = tellingTopics(filter, rules).filter((topic) => matches(filter, topic));
  const counting = rules.filter((rule) => rule.qos === undefined || rule.qos.includes(qos));
  // Rules are asked in their order: an allowing one must hold all, a denying one refuses at the first topic of it.
  for (const { allow, filter: of } of counting) {
    if (allow && delivered.every((topic) => matches(of, topic))) return true;
    if (!allow && delivered.some((topic) => matches(of, topic))) return false;
  }
  return false;
}
