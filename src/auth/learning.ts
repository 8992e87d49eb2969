/**
 * Watches what clients do: an authorizer around another that changes no decision and notes each distinct thing asked for
 * once. It remembers a digest for each, of at most `observationsMax`; beyond that it says so once and notes nothing more.
 */
import { createHash } from "node:crypto";
import type { AuthorizationDecision, AuthorizationRequest, Authorizer } from "../broker/ports.ts";
import type { QoS } from "../codec/index.ts";

/** One line of JSON of what `tserve --learn` writes. A will counts as the publish that it is. */
export interface Observation {
  /** Undefined: an anonymous client. */
  readonly user?: string;
  readonly clientIdentifier: string;
  readonly action: "publish" | "subscribe";
  /** A topic name to publish, a topic filter without `$share/group/` to subscribe. */
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  /** What was refused is noted too, so that people see it; rules are made of what was allowed. */
  readonly allowed: boolean;
}

export interface LearningOptions {
  /** Takes each observation; must not throw. */
  readonly note: (observation: Observation) => void;
  /** Called once, when there is more to note than `observationsMax`. */
  readonly full: () => void;
  /** Default 100,000: about 10 MB. */
  readonly observationsMax?: number;
}

export class LearningAuthorizer implements Authorizer {
  readonly #authorizer: Authorizer;
  readonly #options: LearningOptions;
  readonly #observationsMax: number;
  readonly #digests = new Set<string>();
  #isFull = false;

  constructor(authorizer: Authorizer, options: LearningOptions) {
    this.#authorizer = authorizer;
    this.#options = options;
    this.#observationsMax = options.observationsMax ?? 100_000;
  }

  get generation(): number {
    return this.#authorizer.generation;
  }

  authorize(request: AuthorizationRequest): AuthorizationDecision | Promise<AuthorizationDecision> {
    const decision = this.#authorizer.authorize(request);
    if (!(decision instanceof Promise)) return this.#observe(request, decision);
    return decision.then((made) => this.#observe(request, made));
  }

  #observe(request: AuthorizationRequest, decision: AuthorizationDecision): AuthorizationDecision {
    if (this.#isFull) return decision;
    const observation = toObservation(request, decision.allowed);
    const digest = digestOf(observation);
    if (this.#digests.has(digest)) return decision;
    if (this.#digests.size >= this.#observationsMax) {
      this.#isFull = true;
      this.#digests.clear();
      this.#options.full();
      return decision;
    }
    this.#digests.add(digest);
    this.#options.note(observation);
    return decision;
  }
}

function toObservation(request: AuthorizationRequest, allowed: boolean): Observation {
  const { client, action, topic, qos, retain } = request;
  return {
    ...(client.userName === undefined ? {} : { user: client.userName }),
    clientIdentifier: client.clientIdentifier,
    action: action === "subscribe" ? "subscribe" : "publish",
    topic,
    qos,
    retain: action !== "subscribe" && retain,
    allowed,
  };
}

/** Topics may be long, digests are not. */
function digestOf(observation: Observation): string {
  return createHash("sha256").update(JSON.stringify(observation)).digest("base64");
}

/** Reads a line of what was written; undefined for one that is none, such as a last line that is cut short. */
export function parseObservation(line: string): Observation | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { user, clientIdentifier, action, topic, qos, retain, allowed } = value as Observation;
  const isWhole =
    (user === undefined || typeof user === "string") &&
    typeof clientIdentifier === "string" &&
    (action === "publish" || action === "subscribe") &&
    typeof topic === "string" &&
    (qos === 0 || qos === 1 || qos === 2) &&
    typeof retain === "boolean" &&
    typeof allowed === "boolean";
  if (!isWhole) return undefined;
  const named = user === undefined ? {} : { user };
  return { ...named, clientIdentifier, action, topic, qos, retain, allowed };
}
