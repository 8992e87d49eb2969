import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand } from "./command-line-words.ts";

test("a command is a name and words, which quotes keep together", () => {
  for (const [text, name, words] of [
    ["ups=upsc myups", "ups", ["upsc", "myups"]],
    [`a=sh -c 'echo "x" 1'`, "a", ["sh", "-c", 'echo "x" 1']],
    [`a=p "b  c"d '' "\\"\\\\"`, "a", ["p", "b  cd", "", '"\\']],
    ["a=  p\tq\n r ", "a", ["p", "q", "r"]],
    ["a=p key=value", "a", ["p", "key=value"]],
    // Nothing of a shell's: it is what it is.
    ["a=p $HOME *;rm|x `y`", "a", ["p", "$HOME", "*;rm|x", "`y`"]],
  ] as const) {
    assert.deepEqual(parseCommand(text), { name, words });
  }
});

test("what is no command is told", () => {
  for (const [text, mistake] of [
    ["upsc", /--command is NAME=PROGRAM/],
    ["=upsc", /--command is NAME=PROGRAM/],
    ["ups=", /--command is NAME=PROGRAM/],
    ["ups=   ", /--command is NAME=PROGRAM/],
    ["a b=c", /--command is NAME=PROGRAM/],
    ["a/b=c", /one level of a topic/],
    ["a+=c", /one level of a topic/],
    ["$a=c", /one level of a topic/],
    ["a=sh -c 'echo", /a quote is not closed/],
    ['a=sh "b', /a quote is not closed/],
  ] as const) {
    assert.throws(() => parseCommand(text), mistake, text);
  }
});
