/** Graphite's own: paths, its two protocols as carbon reads them, and a carbon that is killed before it has written. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { difficultTexts, MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { createPointMaker, encodePlaintext, toLine } from "../../src/sinks/graphite/format.ts";
import { graphiteSink } from "../../src/sinks/graphite/index.ts";
import { encodePickle } from "../../src/sinks/graphite/pickle.ts";
import { type MappedMessage, SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { CarbonServer } from "./carbon-server.ts";

const run = promisify(execFile);
const plain = { prefix: "", hasTags: false };
const second = 1_000_000;

type Parts = Parameters<MessageMaker["make"]>[0];

function linesOf(parts: Parts, settings = plain): readonly string[] {
  const message = new MessageMaker().make({ time: 1_795_000_000 * second + 999_999, ...parts });
  return createPointMaker(settings)(message).points.map(toLine);
}

async function open(settings: Readonly<Record<string, string>>, said: string[] = []) {
  const kind = await graphiteSink.configure({ "graphite-host": "127.0.0.1", ...settings });
  return kind.open({ stdout: process.stdout, say: (line) => void said.push(line) });
}

test("levels become nodes, fields other than value one more, tags too or tags of Graphite", () => {
  const parts = { topic: "site/hall", tags: { room: "a b" }, fields: { value: 1, temp: true } };
  assert.deepEqual(linesOf(parts), [
    "site.hall.room.a_b 1 1795000000",
    "site.hall.room.a_b.temp 1 1795000000",
  ]);
  assert.deepEqual(linesOf(parts, { prefix: "x.y", hasTags: true }), [
    "x.y.site.hall;room=a_b 1 1795000000",
    "x.y.site.hall.temp;room=a_b 1 1795000000",
  ]);
  const named = { ...parts, tags: { name: "n" }, fields: { value: 1 } };
  assert.deepEqual(linesOf(named, { prefix: "", hasTags: true }), [
    "site.hall;_name=n 1 1795000000",
  ]);
});

test("what means something to Graphite is no part of a node, and no node is empty", () => {
  const paths = [
    ["/a//b/", "a.b"],
    ["//", "_"],
    ["a.b c\n/..", "a_b_c_.__"],
    ["Küche/温度/🦀", "K_fcche._6e29_5ea6._1f980"],
    ["$SYS/{a,b}*?[]", "_SYS._a_b_____"],
  ];
  for (const [topic, path] of paths) {
    assert.deepEqual(linesOf({ topic, fields: { value: 1 } }), [`${path} 1 1795000000`], topic);
  }
});

test("text is left out, and only what no file of whisper could have is refused", async () => {
  assert.deepEqual(linesOf({ fields: { value: "21.5", temp: 21.5 } }), [
    "site.hall.temp.temp 21.5 1795000000",
  ]);
  const maker = new MessageMaker();
  const batch = [
    maker.number(),
    maker.number("a".repeat(201)),
    maker.number("ab/".repeat(1000)),
    maker.make({ fields: { value: 1 }, time: -second }),
    maker.make({ fields: { value: 1 }, time: 2 ** 32 * second }),
  ];
  const sink = await open({ "graphite-port": "1" });
  await assert.rejects(sink.write(batch.slice(1)), (error) => {
    assert.ok(error instanceof SinkRefusal);
    assert.deepEqual(
      [...(error.refused ?? [])],
      [
        [0, "a name of 201 characters: Graphite has 200 at most"],
        [1, "a path of 2999 characters: Graphite has 2000 at most"],
        [2, "a time before 1970: Graphite has none"],
        [3, "a time after February 2106: Graphite has none"],
      ],
    );
    return true;
  });
  await assert.rejects(sink.write(batch), SinkUnavailable, "the rest is not there yet");
  await sink.close();
});

test("mistakes in the settings are told", async () => {
  for (const prefix of ["a b", ".a", "a..b", "a;b=c"]) {
    await assert.rejects(graphiteSink.configure({ "graphite-prefix": prefix }), {
      message: `--graphite-prefix is names of ASCII letters, digits, _ and - with dots between them, not "${prefix}"`,
    });
  }
  const pickle = await graphiteSink.configure({ "graphite-protocol": "pickle" });
  assert.equal(pickle.destination, "Graphite at localhost:2004");
});

/** Chance from a seed: mulberry32. */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Messages whose texts are made of what means something to somebody. */
function randomMessages(chance: () => number, count: number): readonly MappedMessage[] {
  const maker = new MessageMaker();
  const pieces = [...difficultTexts, "/", "//", ";", "=", "\n", "\0", "\ud800", "}", '{a="b"}'];
  const pick = () => pieces[Math.floor(chance() * pieces.length)];
  const text = () => Array.from({ length: 1 + Math.floor(chance() * 4) }, pick).join("");
  return Array.from({ length: count }, () =>
    maker.make({
      topic: text(),
      tags: { [text()]: text(), [text()]: text() },
      fields: { [text()]: (chance() - 0.5) * 10 ** Math.floor(chance() * 40), [text()]: text() },
    }),
  );
}

test("whatever topics, tags and fields hold, carbon reads exactly the points that were meant", async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const messages = randomMessages(createChance(seed), 2000);
  for (const hasTags of [false, true]) {
    const makePoints = createPointMaker({ prefix: "p", hasTags });
    const points = messages.flatMap((message) => makePoints(message).points);
    assert.ok(points.length > 1000);
    const lines = encodePlaintext(points).toString("latin1").split("\n");
    assert.equal(lines.pop(), "");
    const parsed = lines.map((line) => {
      const [, path, value, seconds] = /^([\w.;=-]+) (-?[\d.e+-]+) (\d+)$/.exec(line) ?? [];
      return { path, value: Number(value), seconds: Number(seconds) };
    });
    assert.deepEqual(parsed, points);
    for (const { path } of points) {
      assert.match(path, hasTags ? /^[\w-]+(\.[\w-]+)+(;[\w-]+=[\w-]+)*$/ : /^[\w-]+(\.[\w-]+)+$/);
    }
  }
});

/** Reads frames from stdin with Python's own pickle, and prints JSON. */
const unpickle = `
import json, pickle, struct, sys
data, points, frames = sys.stdin.buffer.read(), [], 0
while data:
    (length,) = struct.unpack("!L", data[:4])
    assert length < 1048576
    points += pickle.loads(data[4:4 + length])
    data = data[4 + length:]
    frames += 1
print(json.dumps([frames, points]))
`;

test("Python's pickle reads the same points, in frames that carbon takes", async () => {
  const messages = randomMessages(createChance(7), 6000);
  const makePoints = createPointMaker(plain);
  const late = { path: "late", value: -0.1, seconds: 2 ** 31 };
  const points = [late, ...messages.flatMap((message) => makePoints(message).points)];
  const child = execFile("/usr/bin/python3", ["-c", unpickle], { maxBuffer: 100_000_000 });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  child.stdin?.end(encodePickle(points));
  await once(child, "close");
  const [frames, read] = JSON.parse(text);
  assert.ok(frames > 1);
  assert.deepEqual(
    read,
    points.map(({ path, value, seconds }) => [path, [seconds, value]]),
  );
  assert.equal(encodePickle([]).length, 0);
});

test("carbon itself understands the tags", async () => {
  const paths = linesOf(
    { topic: "a/b", tags: { room: "~x;y=z", name: "n" }, fields: { temp: 1 } },
    { prefix: "", hasTags: true },
  ).map((line) => line.split(" ")[0]);
  const script =
    "import sys; from carbon.util import TaggedSeries as T; print(T.parse(sys.argv[1]).tags)";
  const { stdout } = await run("/usr/bin/python3", ["-c", script, paths[0]]);
  assert.equal(stdout, "{'_name': 'n', 'room': '_x_y_z', 'name': 'a.b.temp'}\n");
});

test("a time that whisper cannot write keeps nothing else of its path from being written", async (t) => {
  const carbon = await CarbonServer.start({ restSeconds: 0.05 });
  t.after(() => carbon.end());
  const sink = await open({ "graphite-port": String(carbon.port) });
  t.after(() => sink.close());
  const maker = new MessageMaker();
  const wrong = maker.make({ time: 8e15, fields: { value: -1 } });
  await assert.rejects(sink.write([maker.number(), wrong, maker.number()]), SinkRefusal);
  assert.equal((await carbon.read("site")).length, 2);
});

test("a carbon that is killed or restarted before it has written gets all of it again", async (t) => {
  const carbon = await CarbonServer.start();
  t.after(() => carbon.end());
  const said: string[] = [];
  const sink = await open({ "graphite-port": String(carbon.port) }, said);
  t.after(() => sink.close());
  const batch = new MessageMaker().numbers(40);
  for (const [index, signal] of (["SIGKILL", "SIGTERM"] as const).entries()) {
    await sink.write(batch.slice(index * 10, index * 10 + 10));
    // What it has is in its memory only, and nothing is written until it is back.
    await carbon.stop(signal);
    await carbon.restart();
  }
  await sink.write(batch.slice(20, 30));
  await carbon.stop("SIGKILL");
  await carbon.restart();
  // Nothing new comes for now: what is kept is sent again all the same.
  while (said.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  await carbon.stop("SIGKILL");
  await assert.rejects(sink.write(batch.slice(30)), SinkUnavailable);
  await carbon.restart();
  await sink.write(batch.slice(30));
  const points = await carbon.read("site");
  const values = points.map(({ value }) => value).sort((one, other) => one - other);
  assert.deepEqual(
    values,
    batch.map((_, index) => index + 0.5),
  );
  assert.match(
    said[2],
    /^Graphite at 127\.0\.0\.1:\d+ is back: 30 values of before were sent again$/,
  );
});

test("a carbon that does not read to the end has not taken the batch, and one that left is told at close", async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    // The first is the silent one.
    if (sockets.length > 1) socket.once("data", () => socket.resetAndDestroy());
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const said: string[] = [];
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const sink = await open({ "graphite-port": String(address.port) }, said);
  const batch = new MessageMaker().numbers(3);
  await assert.rejects(sink.write(batch), {
    code: "SINK_UNAVAILABLE",
    message: /^Graphite at 127\.0\.0\.1:\d+ did not take everything: /,
  });
  server.removeAllListeners("connection");
  server.on("connection", (socket) => socket.resume());
  assert.equal(await sink.write(batch), 3);
  server.close();
  const silent = sockets[0];
  silent.destroy();
  await once(silent, "close");
  // The second time at the latest the sink knows that the silent connection has ended.
  while (said.length === 0) await sink.close();
  assert.match(
    said[0],
    /^Graphite at 127\.0\.0\.1:\d+ may have lost up to 3 values of its last 60 s: .*refused/,
  );
});
