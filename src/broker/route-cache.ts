/**
 * The routes that are remembered, within a bound of bytes. Two generations stand for an order of age that costs nothing:
 * when the young one has half of the bytes, the old one is given up and the young one becomes the old.
 */
import type { Route } from "./routes.ts";

const routeBytes = 400;
const targetBytes = 64;

/** About what a route takes in memory. */
function sizeOf({ topic, groups, shared, locals }: Route): number {
  let targets = shared.length + locals.length;
  for (const group of groups) targets += group.targets.length;
  return routeBytes + 2 * topic.length + targetBytes * targets;
}

export class RouteCache {
  /** Routes that were given up for others. */
  forgotten = 0;
  readonly #generationBytesMax: number;
  #young = new Map<string, Route>();
  #old = new Map<string, Route>();
  /** Of the young ones. */
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#generationBytesMax = bytesMax / 2;
  }

  get(topic: string): Route | undefined {
    return this.#young.get(topic) ?? this.#old.get(topic);
  }

  /** False for a route that is too large to be remembered. */
  add(route: Route): boolean {
    route.bytes = sizeOf(route);
    if (route.bytes > this.#generationBytesMax) return false;
    if (this.#bytes + route.bytes > this.#generationBytesMax) this.#turn();
    this.#young.set(route.topic, route);
    this.#bytes += route.bytes;
    return true;
  }

  remove(route: Route): void {
    if (this.#young.get(route.topic) === route) {
      this.#young.delete(route.topic);
      this.#bytes -= route.bytes;
    } else if (this.#old.get(route.topic) === route) this.#old.delete(route.topic);
  }

  /** Publishers may hold on to a route that is given up: it must not hold on to its subscribers. */
  #turn(): void {
    this.forgotten += this.#old.size;
    for (const route of this.#old.values()) {
      route.isStale = true;
      route.groups = [];
      route.shared = [];
      route.locals = [];
    }
    this.#old = this.#young;
    this.#young = new Map();
    this.#bytes = 0;
  }
}
