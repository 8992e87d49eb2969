/** Events: each listener once, in order, whatever the others do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type Log, silentLog } from "../base/index.ts";
import { type BrokerEvents, Events } from "./events.ts";

const connected: BrokerEvents["connect"] = {
  sessionPresent: false,
  client: {
    clientIdentifier: "client",
    userName: undefined,
    protocolVersion: 5,
    remoteAddress: "",
    listener: "",
  },
};

function recordingLog(): { log: Log; errors: unknown[] } {
  const errors: unknown[] = [];
  return { errors, log: { ...silentLog, error: (fields) => errors.push(fields) } };
}

test("listeners are called in the order they came, with the event, until they are taken away", () => {
  const events = new Events(silentLog);
  const seen: string[] = [];
  const endFirst = events.on("connect", (event) => {
    assert.equal(event, connected);
    seen.push("first");
  });
  events.on("connect", () => seen.push("second"));
  events.on("disconnect", () => seen.push("other event"));
  events.emit("connect", connected);
  endFirst();
  endFirst();
  events.emit("connect", connected);
  assert.deepEqual(seen, ["first", "second", "second"]);
});

test("a listener that throws, and one that rejects, are logged, and the others are called", async () => {
  const { log, errors } = recordingLog();
  const events = new Events(log);
  const [thrown, rejected] = [new Error("thrown"), new Error("rejected")];
  const seen: string[] = [];
  events.on("connect", () => {
    throw thrown;
  });
  const reject = (): unknown => Promise.reject(rejected); // as an async function without a type would
  events.on("connect", reject as () => void);
  events.on("connect", () => seen.push("last"));
  events.emit("connect", connected);
  await setImmediate();
  assert.deepEqual(seen, ["last"]);
  assert.deepEqual(errors, [
    { event: "connect", error: thrown },
    { event: "connect", error: rejected },
  ]);
});

test("a listener that adds another adds it for the next event", () => {
  const events = new Events(silentLog);
  let count = 0;
  const add = (): void => {
    count++;
    events.on("connect", add);
    events.on("connect", () => add());
  };
  events.on("connect", add);
  events.emit("connect", connected);
  assert.equal(count, 1);
});
