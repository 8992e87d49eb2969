/** Lines of InfluxDB's protocol, after the examples of its documentation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { linesMax, nameLengthMax, tagsMax, textLengthMax } from "./bounds.ts";
import { readLineProtocol } from "./line-protocol.ts";

type Line = [
  measurement: string,
  tags: Record<string, string>,
  fields: Record<string, unknown>,
  time?: number,
];

function read(text: string): Line[] {
  return readLineProtocol(text, "ns").map(({ measurement, tags, fields, time }): Line => {
    const line = [measurement, Object.fromEntries(tags), Object.fromEntries(fields)] as const;
    return time === undefined ? [...line] : [...line, time];
  });
}

const texts: readonly (readonly [text: string, ...lines: Line[]])[] = [
  ["m f=1", ["m", {}, { f: 1 }]],
  [
    "weather,location=us-midwest temperature=82 1465839830100400200",
    ["weather", { location: "us-midwest" }, { temperature: 82 }, 1_465_839_830_100_400],
  ],
  ["m a=1i,b=-2i,c=3u,d=1.5e3,e=.5,f=5.", ["m", {}, { a: 1, b: -2, c: 3, d: 1500, e: 0.5, f: 5 }]],
  [
    "m a=t,b=T,c=true,d=True,e=TRUE,f=f,g=FALSE",
    ["m", {}, { a: true, b: true, c: true, d: true, e: true, f: false, g: false }],
  ],
  ['m s="a, b=c"', ["m", {}, { s: "a, b=c" }]],
  ['m s="a\\"b\\\\c\\d"', ["m", {}, { s: 'a"b\\c\\d' }]],
  ['m s="two\nlines",t=1', ["m", {}, { s: "two\nlines", t: 1 }]],
  ['m s=""', ["m", {}, { s: "" }]],
  [
    "my\\ m\\,x,tag\\ key=tag\\,val\\=ue field\\ key=1",
    ["my m,x", { "tag key": "tag,val=ue" }, { "field key": 1 }],
  ],
  ["m=n f=1", ["m=n", {}, { f: 1 }]],
  ["m,t=🌡 f=1", ["m", { t: "🌡" }, { f: 1 }]],
  ["\n# said\nm f=1\r\n\n  n g=2 \n#end", ["m", {}, { f: 1 }], ["n", {}, { g: 2 }]],
  ["m f=1  1000000", ["m", {}, { f: 1 }, 1_000]],
  ["m f=1 0", ["m", {}, { f: 1 }, 0]],
  ["m __proto__=1", ["m", {}, Object.fromEntries([["__proto__", 1]])]],
  ["# nothing"],
];
for (const [text, ...lines] of texts) {
  test(`the line ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), lines));
}

const mistakes: readonly (readonly [text: string, message: RegExp])[] = [
  ["m", /line 1 of the payload has no fields/],
  ["m f=1\nm,t=1", /line 2 of the payload has no fields/],
  ['m s="a\nb"\nm', /line 3 of the payload/],
  [",t=1 f=1", /begins with no measurement/],
  ["m,t f=1", /has a tag that is not NAME=VALUE/],
  ["m,t= f=1", /has a tag without a value/],
  ["m,t=\\ f=1", /has no fields/],
  ["m f", /has a field that is not NAME=VALUE/],
  ["m =1", /has a field that is not NAME=VALUE/],
  ["m f=", /has a value that is no number/],
  ["m f=x", /has a value that is no number/],
  ["m f=0x1", /has a value that is no number/],
  ["m f=1.5i", /has a value that is no number/],
  ["m f=NaN", /has a value that is no number/],
  ["m f=1e999", /has a value that is no number/],
  ["m f=1,", /has a field that is not NAME=VALUE/],
  ['m f="x', /has text whose quotes do not end/],
  ['m f="x"y', /has something behind its end/],
  ["m f=1 now", /has a time that is no number/],
  ["m f=1 1 2", /has something behind its end/],
  ["m f=1 -1000000", /not from 1970/],
  [`m${"x".repeat(textLengthMax + 1)} f=1`, /a word that is too long/],
  [`m f="${"x".repeat(textLengthMax + 1)}"`, /a text has more than/],
  [`m${Array.from({ length: tagsMax + 1 }, (_, n) => `,t${n}=1`).join("")} f=1`, /more than 128/],
  [`m,${"t".repeat(nameLengthMax + 1)}=1 f=1`, /a tag of more than 512 letters/],
  ["m f=1\n".repeat(linesMax + 1), /more than 10000 lines/],
];
for (const [text, message] of mistakes) {
  test(`the line ${JSON.stringify(text.slice(0, 30))} is refused`, () => {
    assert.throws(() => read(text), { code: "PAYLOAD_UNREADABLE", message });
  });
}

test("a payload may have very many lines", () => {
  assert.equal(read("m f=1\n".repeat(linesMax)).length, linesMax);
});
