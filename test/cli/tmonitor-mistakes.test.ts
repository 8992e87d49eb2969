/** What tmonitor says of a command line that makes no sense, without a broker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMonitorOptions } from "../../src/cli/monitor/options.ts";
import { run } from "../../src/cli/tmonitor.ts";
import { runInMemory } from "./memory-io.ts";

for (const [args, mistake] of [
  [["--interval", "0.5"], "--interval is 1 second at least"],
  [["--interval", "soon"], '--interval takes seconds from 0 to 2000000, not "soon"'],
  [["--name", "a/#"], '--name "a/#" has a wildcard: + and # are for subscribers'],
  [["--name", ""], '--name "" is empty'],
  [["--name", "/a"], '--name "/a" begins with $ or /, or ends with /'],
  [["--name", "$SYS"], '--name "$SYS" begins with $ or /, or ends with /'],
  [["--change", "0"], '--change takes a percentage up to 100, as in 5%, not "0"'],
  [["--change", "101%"], '--change takes a percentage up to 100, as in 5%, not "101%"'],
  [["--at-least", "60"], "--at-least goes with --change"],
  [["--unit", "--root=/"], '--unit takes the name of a unit of systemd, not "--root=/"'],
  [["--command", "upsc"], '--command is NAME=PROGRAM ARGUMENT..., not "upsc"'],
  [["--command", "cpu=x"], "--command cpu=...: this name is taken"],
  [["--command", "status=x"], "--command status=...: this name is taken"],
  [["--command", "a=x", "--command", "a=y"], "--command a=...: this name is taken"],
  [["--will-topic", "a"], "the will of tmonitor is NAME/status: leave --will-topic away"],
  [["-L", "mqtt://h/topic"], "no topic in -L: the topics are below --name"],
  [
    ["--home-assistant", "a/+"],
    '--home-assistant "a/+" has a wildcard: + and # are for subscribers',
  ],
] as const) {
  test(`tmonitor ${args.join(" ")}: ${mistake}`, async () => {
    const { code, stdout, stderr } = await runInMemory(run, args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, `tmonitor: ${mistake} (see tmonitor --help)\n`);
  });
}

test("tmonitor: no broker is told at once, and is a failure", async () => {
  const { code, stderr } = await runInMemory(run, ["-h", "127.0.0.1", "-p", "1"]);
  assert.equal(code, 1);
  assert.match(stderr, /^tmonitor: mqtt:\/\/127\.0\.0\.1:1: connection refused/);
});

test("the name is the user's, or the host's, as one level of a topic", async () => {
  const nameOf = async (...args: readonly string[]) => {
    const io = { environment: {} } as Parameters<typeof parseMonitorOptions>[1];
    return (await parseMonitorOptions(args, io))?.name;
  };
  assert.equal(await nameOf("-h", "h", "-u", "ABC-234"), "ABC-234");
  assert.equal(await nameOf("-h", "h", "-u", "a/+ b"), "a-b");
  assert.equal(await nameOf("-h", "h", "-u", "x", "--name", "site/web1"), "site/web1");
  assert.match((await nameOf("-h", "h")) ?? "", /^[^/+#\s]+$/);
});

test("the help has no options of a will, which tmonitor does not take", async () => {
  const { stdout } = await runInMemory(run, ["--help"]);
  assert.match(stdout, /--no-reconnect/);
  assert.doesNotMatch(stdout, /--will-/);
});
