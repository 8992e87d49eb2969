/** Mistakes on the command line of tpublish: each is one line that says what to write, and exit code 1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../src/cli/tpublish.ts";
import { runInMemory } from "./memory-io.ts";

const mistakes: readonly [args: string, told: RegExp][] = [
  ["-t a -m x -p secret", /^tpublish: -p is the port, a number; the password is -P/],
  ["-t a -m x -p 0", /-p takes a number from 1 to 65535, not "0"/],
  ["-t a -m x --bogus", /^tpublish: unknown option '--bogus'/],
  ["-t a -m x stray", /"stray" belongs to no option/],
  ["-t a -m", /option '-m, --message <text>' argument missing/],
  ["-t a", /no message: add -m/],
  ["-m x", /no topic: add -t/],
  ["-t a/# -m x", /has a wildcard/],
  ["-t a -t b -m x", /only one -t/],
  ["-t a -m x -n", /only one of -m, -f, -l, -s and -n/],
  ["-t a -m x -q 3", /-q takes a number from 0 to 2/],
  ["-t a -m x -k 70000", /-k takes a number from 0 to 65535/],
  ["-t a -m x -W soon", /-W takes seconds/],
  ["-t a -m x -i a -I b", /-i and -I exclude each other/],
  ["-t a -m x -c", /add -i id/],
  ["-t a -m x -V 6", /-V is 31, 311 or 5/],
  ["-t a -m x -V 3.1.1 -x 5", /-x exists in MQTT 5 only/],
  ["-t a -m x -V 311 -x 5", /-x exists in MQTT 5 only/],
  ["-t a -m x -V 311 -D publish content-type x", /-D exists in MQTT 5 only/],
  ["-t a -m x -P secret", /a password needs a user name/],
  ["-t a -m x --will-payload x", /add --will-topic/],
  ["-t a -m x --will-topic a/+", /--will-topic "a\/\+" has a wildcard/],
  ["-t a -m x -D publish bogus 1", /no such property; there are/],
  ["-t a -m x -D connect content-type x", /this property goes with publish, will/],
  ["-t a -m x -D publish content-type", /-D takes packet name value/],
  ["-t a -m x -D publish topic-alias 0", /-D topic-alias is a number from 1 to 65535/],
  ["-t a -m x -D subscribe user-property a b", /for tsubscribe/],
  ["-t a -m x -L http://a", /this is no URL of a broker/],
  ["-t a -m x -L mqtt://a -h b", /given twice/],
  ["-t a -m x --cafile none.pem", /--cafile none.pem: no such file/],
  ["-t a -m x --capath none", /--capath none: no such file/],
  ["-t a -m x --cert none.pem", /--cert and --key belong together/],
  ["-t a -m x --password-file none", /--password-file none: no such file/],
  ["-t a -m x -u u -P -", /no password, no terminal: try --password-file/],
  ["-t a -l --repeat 3", /--repeat goes with -m/],
];
for (const [args, told] of mistakes) {
  test(`"tpublish ${args}" is one line on stderr and exit code 1`, async () => {
    const { code, stdout, stderr } = await runInMemory(run, args.split(" "));
    assert.match(stderr, told);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
    assert.doesNotMatch(stderr, /secret/);
    assert.deepEqual([code, stdout], [1, ""]);
  });
}

test("a mistake in TSTACK_BROKER is told by its name", async () => {
  const { stderr } = await runInMemory(run, ["-t", "a", "-m", "x"], { TSTACK_BROKER: "nonsense" });
  assert.match(stderr, /^tpublish: TSTACK_BROKER: this is no URL of a broker/);
});

test("--quiet does not hide a mistake on the command line", async () => {
  const { stderr } = await runInMemory(run, ["--quiet", "-t", "a"]);
  assert.match(stderr, /no message/);
});

test("--help is printed on stdout, with 0; -h is the host", async () => {
  const { code, stdout, stderr } = await runInMemory(run, ["--help"]);
  assert.match(stdout, /-h, --host <name>/);
  assert.deepEqual([code, stderr], [0, ""]);
});

test("--version is printed on stdout, with 0", async () => {
  const { code, stdout } = await runInMemory(run, ["--version"]);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(code, 0);
});
