/** What is remembered, what is given up, and that nothing given up holds on to subscribers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RouteCache } from "./route-cache.ts";
import type { DeliveryGroup, Route } from "./routes.ts";

function route(topic: string, targets = 0): Route {
  const group = { targets: new Array(targets).fill({}) } as unknown as DeliveryGroup;
  return {
    topic,
    groups: targets > 0 ? [group] : [],
    shared: [],
    locals: [],
    hasSubscribers: targets > 0,
    generation: 0,
    isStale: false,
    bytes: 0,
  };
}

test("the latest routes are there, the earliest are stale and hold no subscribers", () => {
  const cache = new RouteCache(10_000);
  const routes = Array.from({ length: 100 }, (_, number) => route(`t/${number}`, 1));
  for (const one of routes) assert.ok(cache.add(one));
  const kept = routes.filter(({ topic }) => cache.get(topic) !== undefined);
  assert.ok(kept.length >= 5 && kept.length <= 21, `${kept.length} of about 470 bytes each`);
  assert.deepEqual(kept, routes.slice(-kept.length));
  for (const one of routes) {
    const isKept = kept.includes(one);
    assert.equal(one.isStale, !isKept, one.topic);
    assert.equal(one.groups.length, isKept ? 1 : 0, one.topic);
  }
});

test("a route beyond half of the bytes is not remembered, and pushes nothing out", () => {
  const cache = new RouteCache(10_000);
  const small = route("small");
  cache.add(small);
  assert.equal(cache.add(route("large", 1000)), false);
  assert.equal(cache.get("large"), undefined);
  assert.equal(cache.get("small"), small);
});

test("a route that is taken out makes room, whichever generation it is of", () => {
  const cache = new RouteCache(10_000);
  const same = route("same");
  for (let count = 0; count < 1000; count++) {
    cache.add(same);
    cache.remove(same);
    assert.equal(cache.get("same"), undefined);
  }
  cache.add(same);
  for (let count = 0; count < 15; count++) {
    cache.remove(route("same"));
    assert.equal(cache.get("same"), same, "another route of the topic is not this one");
    cache.add(route(`${count}`)); // until `same` is of the old generation
  }
});
