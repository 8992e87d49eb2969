/** Routes against a list of subscriptions and `matchesFilter`, with a cache so small that it forgets all the time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesFilter, parseTopicFilter } from "../topics/index.ts";
import { Counters } from "./counters.ts";
import { Reach, type Route, Routes } from "./routes.ts";
import { Session } from "./session.ts";
import type { SessionContext } from "./session-context.ts";
import type { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";

const topics = ["a", "a/b", "a/b/c", "b", "/", "$SYS/a", "a/c"];
const filters = ["a", "a/b", "a/#", "a/+", "+/b", "#", "+", "/", "$SYS/#", "a/b/c", "+/+/c", "b"];

/** What one client gets for a topic: `undefined` for nothing. */
interface Copy {
  readonly qos: number;
  readonly retainAsPublished: boolean;
  readonly identifiers: number[];
}

const ascending = (a: number, b: number): number => a - b;

class World {
  readonly routes: Routes;
  readonly subscriptions: Subscriptions;
  readonly sessions: Session[];
  readonly held = new Map<string, Route>();
  /** By filter, what ends the subscription of the embedding program. */
  readonly locals = new Map<string, () => void>();

  constructor(bytesMax: number) {
    this.routes = new Routes(bytesMax);
    this.subscriptions = new Subscriptions(this.routes);
    const context = { counters: new Counters() } as SessionContext;
    this.sessions = ["one", "two", "three"].map(
      (name, index) => new Session(name, index < 2, context),
    );
  }

  subscribe(session: Session, filter: string, options: number): void {
    const parsed = parseTopicFilter(filter, 100);
    assert.ok(parsed !== undefined);
    const { isV5 } = session;
    const request = {
      filter,
      qos: (options % 3) as 0 | 1 | 2,
      noLocal: isV5 && parsed.group === undefined && options % 4 === 0,
      retainAsPublished: isV5 && options % 5 === 0,
      retainHandling: 0 as const,
    };
    const identifier = isV5 ? options % 7 : 0;
    this.subscriptions.add(session, request, { parsed, qos: request.qos, identifier });
  }

  unsubscribe(session: Session, filter: string): void {
    const subscription = session.subscriptions.get(filter);
    if (subscription !== undefined) this.subscriptions.remove(subscription);
  }

  /** The embedding program subscribes, or ends that. */
  toggleLocal(filter: string): void {
    const end = this.locals.get(filter);
    if (end === undefined)
      this.locals.set(
        filter,
        this.subscriptions.addLocal(filter, () => {}),
      );
    else this.locals.delete(filter);
    end?.();
  }

  /** As connections hold on to the route of a topic they publish to. */
  route(topic: string): Route {
    const held = this.held.get(topic);
    const route = held === undefined ? this.routes.find(topic) : this.routes.current(held);
    this.held.set(topic, route);
    return route;
  }

  expectedCopy(session: Session, topic: string, publisher: string): Copy | undefined {
    const matching = [...session.subscriptions.values()].filter(
      ({ shared, filter, noLocal }) =>
        shared === undefined &&
        matchesFilter(filter, topic) &&
        !(noLocal && publisher === session.clientIdentifier),
    );
    if (matching.length === 0) return undefined;
    return {
      qos: Math.max(...matching.map(({ qos }) => qos)), // [MQTT-3.3.4-2]
      retainAsPublished: matching.some(({ retainAsPublished }) => retainAsPublished),
      identifiers: matching
        .map(({ identifier }) => identifier)
        .filter((identifier) => identifier > 0)
        .sort(ascending),
    };
  }

  check(topic: string): void {
    const route = this.route(topic);
    assert.equal(route.topic, topic);
    for (const publisher of ["", "one", "two", "three"]) {
      for (const session of this.sessions) {
        const expected = this.expectedCopy(session, topic, publisher);
        assert.deepEqual(copyOf(route, session, publisher), expected);
      }
    }
    const members = [...this.sessions.flatMap(({ subscriptions }) => [...subscriptions.values()])];
    const groups = new Set(members.filter(isSharedFor(topic)).map(({ shared }) => shared));
    assert.deepEqual(new Set(route.shared), groups);
    assert.equal(route.shared.length, groups.size);
    for (const shared of route.shared) {
      const own = members.filter((member) => member.shared === shared);
      assert.equal(new Set(own.map(({ filter }) => filter)).size, 1, "one group for each name");
      assert.equal(shared.size, own.length);
    }
    const named = new Set(members.filter(isSharedFor(topic)).map(({ filter }) => filter));
    assert.equal(named.size, groups.size, "one name for each group");
    const locals = [...this.locals.keys()].filter((filter) => matchesFilter(filter, topic));
    assert.deepEqual(route.locals.map(({ filter }) => filter).sort(), locals.sort());
    const plain = this.sessions.some(
      (session) => this.expectedCopy(session, topic, "") !== undefined,
    );
    assert.equal(route.hasSubscribers, plain || groups.size > 0 || locals.length > 0);
  }
}

function isSharedFor(topic: string): (subscription: Subscription) => boolean {
  return ({ shared }) => shared !== undefined && matchesFilter(shared.filter, topic);
}

/** What the route has for `session`; more than one copy is a mistake. */
function copyOf(route: Route, session: Session, publisher: string): Copy | undefined {
  const copies: Copy[] = [];
  const isSelf = publisher === session.clientIdentifier;
  for (const { isV5, qos, retainAsPublished, identifiers, targets } of route.groups) {
    for (const target of targets) {
      if (target.session !== session) continue;
      if (target.reach === Reach.othersOnly && isSelf) continue;
      if (target.reach === Reach.selfOnly && !isSelf) continue;
      assert.equal(isV5, session.isV5);
      copies.push({ qos, retainAsPublished, identifiers: [...identifiers].sort(ascending) });
    }
  }
  assert.ok(copies.length <= 1, "one copy for each session");
  return copies[0];
}

const step = fc.record({
  what: fc.constantFrom(
    "subscribe",
    "subscribe",
    "unsubscribe",
    "share",
    "publish",
    "version",
    "local",
  ),
  session: fc.nat(2),
  filter: fc.constantFrom(...filters),
  options: fc.nat(420),
  topic: fc.constantFrom(...topics),
});

// For none, one or two, and all of the topics.
for (const bytesMax of [1, 1000, 100_000]) {
  test(`routes are what the subscriptions say, ${bytesMax} bytes remembered`, () => {
    const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const world = new World(bytesMax);
      for (const { what, session: index, filter, options, topic } of steps) {
        const session = world.sessions[index];
        const shared = `$share/g${options % 2}/${filter}`;
        if (what === "subscribe") world.subscribe(session, filter, options);
        else if (what === "share") world.subscribe(session, shared, options);
        else if (what === "local") world.toggleLocal(filter);
        else if (what === "unsubscribe") {
          world.unsubscribe(session, filter);
          world.unsubscribe(session, shared);
        } else if (what === "version" && session.subscriptions.size === 0) {
          session.isV5 = !session.isV5;
          world.routes.sessionChanged();
        }
        world.check(topic);
      }
      for (const topic of topics) world.check(topic);
      for (const session of world.sessions) {
        for (const filter of [...session.subscriptions.keys()]) world.unsubscribe(session, filter);
      }
      for (const filter of [...world.locals.keys()]) world.toggleLocal(filter);
      assert.equal(world.subscriptions.count, 0);
      assert.equal(world.subscriptions.sharedCount, 0);
      for (const topic of topics) world.check(topic);
    });
    fc.assert(property, { numRuns: 150 });
  });
}

test("a session that comes back with another version moves to another group of the same route", () => {
  const world = new World(10_000);
  const [session] = world.sessions;
  world.subscribe(session, "a", 0);
  const held = world.routes.find("a");
  assert.equal(held.groups[0].isV5, true);
  session.isV5 = false;
  world.routes.sessionChanged();
  assert.equal(world.routes.current(held).groups[0].isV5, false);
});

test("a route that was forgotten follows the one that took its place", () => {
  const world = new World(1);
  const forgotten = world.routes.find("a");
  world.routes.find("b");
  const found = world.routes.current(forgotten);
  world.subscribe(world.sessions[0], "a", 1);
  assert.equal(world.routes.current(forgotten), world.routes.current(found));
  assert.equal(world.routes.current(forgotten).groups.length, 1);
});
