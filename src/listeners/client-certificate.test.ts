import assert from "node:assert/strict";
import { test } from "node:test";
import { splitNames } from "./client-certificate.ts";

const samples: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  ["DNS:a.example", ["DNS:a.example"]],
  [
    "DNS:a, email:ada@example.org, URI:urn:device:7",
    ["DNS:a", "email:ada@example.org", "URI:urn:device:7"],
  ],
  [
    "IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1",
    ["IP Address:127.0.0.1", "IP Address:2001:DB8:0:0:0:0:0:1"],
  ],
  // One name that would be two if the comma counted.
  ['DNS:"a, DNS:admin"', ["DNS:a, DNS:admin"]],
  ['URI:"x\\", DNS:admin", DNS:b', ['URI:x", DNS:admin', "DNS:b"]],
  ['DNS:"a\\u0000b"', ["DNS:a\0b"]],
  ["DNS:", ["DNS:"]],
  // Not of this form: nothing is believed.
  ["DNS", []],
  ['DNS:a, "DNS:b', []],
  ['DNS:"a', []],
  ['DNS:"a\\x"', []],
  ['DNS:"a\nb"', []],
  ["DNS:a,DNS:b", []],
];

for (const [text, names] of samples) {
  test(`alternative names ${JSON.stringify(text)} are ${names.length}`, () => {
    assert.deepEqual(splitNames(text), names);
  });
}
