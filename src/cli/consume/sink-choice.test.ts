import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../../base/index.ts";
import type { SinkKind } from "../../sinks/index.ts";
import { UsageError } from "../client/index.ts";
import { consumeCommand } from "./command.ts";
import { chooseSinks } from "./sink-choice.ts";

/** A kind that answers what it was told. */
function echo(name: string): SinkKind {
  return {
    name,
    summary: "says what it was told",
    options: [
      {
        flags: `--${name}-url <url>`,
        description: "where",
        environment: `${name.toUpperCase()}_URL`,
      },
      { flags: `--${name}-fast`, description: "a switch" },
    ],
    configure: async (values) => {
      const url = values[`${name}-url`];
      if (url === "bad") throw new TstackError("CONFIGURATION_INVALID", `--${name}-url is a URL`);
      return {
        destination: JSON.stringify(values),
        explain: () => "",
        open: () => Promise.reject(new Error("not opened here")),
      };
    },
  };
}

async function choose(args: readonly string[], environment: Record<string, string> = {}) {
  const kinds = [echo("red"), echo("stdout"), echo("blue")];
  const command = consumeCommand(kinds);
  command.parse([...args], { from: "user" });
  const { sink } = command.opts<{ readonly sink: readonly string[] }>();
  const chosen = await chooseSinks(sink, command, kinds, { environment });
  return chosen.map(({ sink: { destination } }) => JSON.parse(destination));
}

test("without a sink it is stdout", async () => {
  assert.deepEqual(await choose([]), [{}]);
});

test("a sink is told its options by their long names, and what the environment says for them", async () => {
  const args = ["--sink", "blue", "--sink", "red", "--red-url", "x", "--blue-fast"];
  assert.deepEqual(await choose(args, { RED_URL: "unheard", BLUE_URL: "y", STDOUT_URL: "z" }), [
    { "red-url": "x" },
    { "blue-url": "y", "blue-fast": "true" },
  ]);
});

test("an empty variable says nothing", async () => {
  assert.deepEqual(await choose(["--sink", "red"], { RED_URL: "" }), [{}]);
});

test("a mistake in a sink's setting is one of the command line", async () => {
  const wrong = choose(["--sink", "red", "--red-url", "bad"]);
  await assert.rejects(wrong, (error) => {
    return error instanceof UsageError && error.message === "--red-url is a URL";
  });
});
