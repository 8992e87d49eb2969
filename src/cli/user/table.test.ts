/** Tables stay within the width of the terminal, and pass no control character on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable } from "./table.ts";

test("columns are as wide as what is in them", () => {
  const table = formatTable(
    ["USER", "RULES"],
    [
      ["ada", "ada/#"],
      ["grace", ""],
    ],
    80,
  );
  assert.equal(table, "USER   RULES\nada    ada/#\ngrace\n");
});

test("no line is longer than the terminal is wide, whichever column is long", () => {
  const rows = [
    ["x".repeat(200), "password", "y", "z".repeat(300)],
    ["ada", "password", "operator", "a"],
  ];
  const lines = formatTable(["USER", "LOGIN", "ROLES", "RULES"], rows, 80).trimEnd().split("\n");
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(lines[1], /^x+… {2}password {2}y {9}z+…$/);
});

test("control characters are escaped", () => {
  const table = formatTable(["USER", "X"], [["a\u001b[2J\n", "\u009b"]], 80);
  assert.equal(table, "USER              X\na\\u001b[2J\\u000a  \\u009b\n");
});
