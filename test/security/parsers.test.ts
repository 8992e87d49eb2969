/** Texts made to take for ever, and JSON made to change what all objects are, given to everything that reads what others write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readHttpAnswer } from "../../src/auth/http-answer.ts";
import { parseObservation } from "../../src/auth/learning.ts";
import { parsePasswordHash } from "../../src/auth/password-hash.ts";
import { decide } from "../../src/auth/rights.ts";
import { findMistakeInRule } from "../../src/auth/rule.ts";
import { readClientFinal, readClientFirst } from "../../src/auth/scram-messages.ts";
import { parseDuration } from "../../src/cli/registration/duration.ts";
import { readAclLines } from "../../src/cli/user/import-acl.ts";
import { readPasswdLines } from "../../src/cli/user/import-passwd.ts";
import { ImportPlan } from "../../src/cli/user/import-plan.ts";
import { parseRule } from "../../src/cli/user/rule-words.ts";
import { splitNames } from "../../src/listeners/client-certificate.ts";
import { parseListenUrl } from "../../src/listeners/listen-url.ts";
import { parseProxyHeader } from "../../src/listeners/proxy-header.ts";
import { parseTopicFilter } from "../../src/topics/index.ts";

/** Long enough that whoever looks at each letter for each letter takes ten times as long as is allowed. */
const lengthMax = 30_000;
const millisecondsMax = 100;

const rights = ["devices/%u/#", "%c/+/%u/x", "+/+/+/#", "a/%u%c%u/b"].map((filter) => ({
  effect: "allow" as const,
  action: "both" as const,
  filter,
  source: "rule",
}));

function ask(name: string, topic: string): void {
  const client = { clientIdentifier: name, userName: name };
  for (const action of ["publish", "subscribe"] as const) {
    decide(rights, "ada", { action, topic, qos: 0, retain: false, client });
  }
}

const readers: Record<string, (text: string) => unknown> = {
  "topic filter": (text) => parseTopicFilter(text, Number.POSITIVE_INFINITY),
  "filter of a rule": (filter) => findMistakeInRule({ allow: "both", filter }),
  "name in rights": (text) => ask(text, "devices/a/b"),
  "topic in rights": (text) => ask("a", text),
  "hash of a password": parsePasswordHash,
  "first message of SCRAM": (text) => readClientFirst(Buffer.from(text)),
  "final message of SCRAM": (text) => readClientFinal(Buffer.from(text)),
  "answer of an HTTP service": (text) => readHttpAnswer(Buffer.from(text)),
  "line of what was learned": parseObservation,
  "alternative names of a certificate": splitNames,
  "PROXY header": (text) => parseProxyHeader(Buffer.from(text)),
  "URL to listen on": parseListenUrl,
  // Of the operator's own command line: nobody else writes them.
  "words of a rule": (text) => parseRule(text.slice(0, 2000)),
  duration: (text) => parseDuration("--expires", text),
  "mosquitto's passwd": (text) => readPasswdLines("passwd", [text], new ImportPlan()),
  "mosquitto's acl": (text) => readAclLines("acl", [text], new ImportPlan()),
};

const beginnings = [
  ...["", "n,,n=", "n,,n=a,r=x", "c=biws,r=x", "$argon2id$v=19$m=", "$argon2id$v=19$m=8,t=1,p=1$"],
  ...["$7$", "$2b$", "PROXY TCP4 ", "$share/", "DNS:", "mqtt://", '{"', "allow publish ", "user "],
  ...["topic read ", "ada:$7$", "1"],
];
const pieces = [
  ...'a/+#%=,. \t\r:$1-_[{"\\\u2028\u00e9',
  ...["+/", "/#", "%u", "a=", ",a=", "=2C", "qos 0,", ", DNS:", '\\"', "1h", "\u{1f600}", " a"],
];
const ends = ["", "!\u2028x"];

/** The fastest of three, where the first was slow: the machine may have had something else to do. */
function timeOf(work: () => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && fastest > millisecondsMax; attempt++) {
    const begin = performance.now();
    try {
      work();
    } catch {
      // A mistake is one more answer, as long as it comes.
    }
    fastest = Math.min(fastest, performance.now() - begin);
  }
  return fastest;
}

test("attack: no text makes a reader take for ever: names, filters, hashes, headers, lines", () => {
  for (const [name, read] of Object.entries(readers)) {
    for (const beginning of beginnings) {
      for (const piece of pieces) {
        for (const end of ends) {
          const count = Math.floor(
            (lengthMax - beginning.length - end.length) / Buffer.byteLength(piece),
          );
          const text = beginning + piece.repeat(count) + end;
          const milliseconds = timeOf(() => read(text));
          const what = `${name}: ${beginning}${piece}...${end}`;
          assert.ok(milliseconds < millisecondsMax, `${what} takes ${milliseconds} ms`);
        }
      }
    }
  }
});

const polluting = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"__proto__":{"result":"allow","userName":"admin","sub":"admin","rights":["#"],"allow":"both"}}',
];

test("attack: __proto__ and constructor in claims, answers and rules say nothing and change nothing", () => {
  for (const json of polluting) {
    const value = JSON.parse(json) as Record<string, unknown>;
    assert.equal(typeof readHttpAnswer(Buffer.from(json)), "string", "that is no answer");
    const inside = `{"result":"allow","rules":[${json}]}`;
    assert.equal(typeof readHttpAnswer(Buffer.from(inside)), "string");
    assert.notEqual(findMistakeInRule(value), undefined);
    const rule = JSON.parse(`{"filter":"a","__proto__":{"allow":"both"}}`);
    assert.notEqual(findMistakeInRule(rule), undefined);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) ask(name, name);
});
