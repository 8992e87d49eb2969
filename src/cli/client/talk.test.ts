import assert from "node:assert/strict";
import { test } from "node:test";
import { openTalk } from "./talk.ts";

test("What strangers say moves no cursor; lines that belong together stay lines", () => {
  const written: string[] = [];
  const stderr = { write: (text: string) => written.push(text) };
  const talk = openTalk(stderr, "tx", { quiet: false, debug: true });
  talk.say("topic \u001b]0;owned\u0007\u009b2J\r\u202e is refused");
  talk.debug("one\ntwo");
  assert.deepEqual(written, [
    "tx: topic \\u001b]0;owned\\u0007\\u009b2J\\u000d\\u202e is refused\n",
    "tx: one\ntwo\n",
  ]);
});
