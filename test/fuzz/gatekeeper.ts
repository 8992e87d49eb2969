/**
 * Who may connect and do what in a round: by names alone, so that an answer depends on nothing but what was asked. It
 * answers at once, later, never, with no, or with a fault, which is how authenticators behave on a bad day.
 */
import { type Clock, ReasonCode } from "../../src/base/index.ts";
import type {
  AuthenticationRequest,
  AuthenticationResult,
  AuthenticationStep,
  Authenticator,
  AuthorizationDecision,
  AuthorizationRequest,
  Authorizer,
  EnhancedAuthenticator,
} from "../../src/broker/index.ts";
import type { Sabotage } from "./settings.ts";

/** What the gatekeeper throws on purpose: the broker logs it, and that is right. */
export class DeliberateFault extends Error {}

/** The remote address that bystanders have and nobody else. */
export const bystanderAddress = "bystander";
export const bystanderTopic = "bystander";
export const bystanderName = "by";
const laterMilliseconds = 50;
const neverMilliseconds = 3_000_000;

/** Topics and user names whose first word says what becomes of them. */
export const outcomes = ["later", "never", "refused", "broken", "rejected"] as const;

export class Gatekeeper implements Authenticator, Authorizer {
  generation = 1;
  /** Topics that somebody was allowed to publish to. */
  readonly topics = new Set<string>();
  readonly #clock: Clock;
  readonly #sabotage: Sabotage;

  constructor(clock: Clock, sabotage: Sabotage) {
    this.#clock = clock;
    this.#sabotage = sabotage;
  }

  authenticate(
    request: AuthenticationRequest,
  ): AuthenticationResult | Promise<AuthenticationResult> {
    const { clientIdentifier, userName, remoteAddress } = request;
    const isNamed = clientIdentifier.startsWith(bystanderName);
    if (isNamed && remoteAddress !== bystanderAddress) {
      return { allowed: false, reasonCode: ReasonCode.notAuthorized, rule: "not a bystander" };
    }
    return this.#answer<AuthenticationResult>(userName ?? "", {
      yes: { allowed: true, userName, rule: "fuzz" },
      no: { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule: "fuzz" },
    });
  }

  authorize(request: AuthorizationRequest): AuthorizationDecision | Promise<AuthorizationDecision> {
    const { client, action, topic } = request;
    if (topic === "sabotage") this.#obey();
    const isForeign = client.remoteAddress !== bystanderAddress;
    if (isForeign && action !== "subscribe" && topic === bystanderTopic) {
      return { allowed: false, rule: "the bystanders' own" };
    }
    const isUnstable = topic.startsWith("sometimes") && this.generation % 2 === 0;
    const name = isUnstable ? "refused" : topic;
    if (action !== "subscribe") this.topics.add(topic);
    return this.#answer<AuthorizationDecision>(name, {
      yes: { allowed: true, rule: "fuzz" },
      no: { allowed: false, rule: "fuzz" },
    });
  }

  /** For the fuzzer's own test: a broker that is at fault. */
  #obey(): void {
    if (this.#sabotage === "throw") throw new Error("sabotage");
    while (this.#sabotage === "hang") {
      // until the supervisor puts an end to it
    }
  }

  #answer<Result>(
    name: string,
    { yes, no }: { yes: Result; no: Result },
  ): Result | Promise<Result> {
    switch (outcomes.find((outcome) => name.startsWith(outcome))) {
      case "later":
        return new Promise((resolve) => {
          this.#clock.after(laterMilliseconds, () => resolve(yes));
        });
      case "never":
        // Whoever asks for rights waits until an answer is there, so at the end of the round it comes.
        return new Promise((resolve) => {
          this.#clock.after(neverMilliseconds, () => resolve(yes));
        });
      case "refused":
        return no;
      case "broken":
        throw new DeliberateFault("broken");
      case "rejected":
        return Promise.reject(new DeliberateFault("rejected"));
      case undefined:
        return yes;
    }
  }
}

/** A method whose exchange goes as the client's data say: on for ever, to an end, or wrong. */
export function enhancedAuthenticator(clock: Clock): EnhancedAuthenticator {
  return {
    method: "FUZZ",
    begin: ({ clientIdentifier }) => {
      const isForeign = clientIdentifier.startsWith(bystanderName);
      return {
        next: (data) => nextStep(isForeign ? "no" : Buffer.from(data ?? "").toString(), clock),
      };
    },
  };
}

function nextStep(text: string, clock: Clock): AuthenticationStep | Promise<AuthenticationStep> {
  const data = Buffer.from(`you said ${text.slice(0, 20)}`);
  if (text.startsWith("more")) return { outcome: "continue", data };
  if (text.startsWith("no")) {
    return { outcome: "failure", reasonCode: ReasonCode.notAuthorized, rule: "fuzz" };
  }
  if (text.startsWith("broken")) throw new DeliberateFault("broken");
  const success: AuthenticationStep = {
    outcome: "success",
    data,
    userName: text.startsWith("other") ? "other" : "fuzz",
    rule: "fuzz",
  };
  if (!text.startsWith("later")) return success;
  return new Promise((resolve) => {
    clock.after(laterMilliseconds, () => resolve(success));
  });
}
