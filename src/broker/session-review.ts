/**
 * What a session was granted is looked at again: when rights have changed, and when a client takes it up. What is no longer
 * allowed ends; messages that were accepted for it before still go out.
 */
import { parseTopicFilter } from "../topics/index.ts";
import type { Broker } from "./broker.ts";
import type { AuthorizationDecision, AuthorizationRequest, ClientIdentity } from "./ports.ts";
import type { Session } from "./session.ts";

/** What has ended, as people name it: `the subscription to a/#`, `the will on b`. */
export type Ended = readonly string[];

interface Held {
  readonly name: string;
  readonly topic: string;
  readonly request: AuthorizationRequest;
  end(): void;
}

/** Answers at once where the authorizer does. */
export function reviewSession(
  broker: Broker,
  session: Session,
  client: ClientIdentity,
): Ended | Promise<Ended> {
  // An answer that comes late is of these rights: what changes meanwhile sets off a review of its own.
  const { generation } = broker.authorizer;
  const held = [
    ...listSubscriptions(broker, session, client),
    ...listWill(broker, session, client),
  ];
  const decisions = held.map(({ request }) => broker.authorize(request));
  const finish = (decided: readonly AuthorizationDecision[]): Ended => {
    // Rights that came with a login are of that login alone: another one is looked at anew.
    session.reviewedGeneration = client.grant === undefined ? generation : -1;
    const ended = held.filter((one, index) => {
      const { allowed, rule } = decided[index];
      if (allowed) return false;
      one.end();
      broker.log.warn(
        { client: session.clientIdentifier, user: session.userName, topic: one.topic, rule },
        `${one.name} has ended: it is no longer allowed`,
      );
      return true;
    });
    return ended.map(({ name }) => name);
  };
  if (decisions.every((decision) => !(decision instanceof Promise)))
    return finish(decisions as AuthorizationDecision[]);
  return Promise.all(decisions).then(finish);
}

function listSubscriptions(broker: Broker, session: Session, client: ClientIdentity): Held[] {
  return [...session.subscriptions.values()].map((subscription) => {
    const { filter, qos, shared } = subscription;
    const topic = shared?.filter ?? parseTopicFilter(filter, Infinity)?.filter ?? filter;
    const end = (): void => {
      // It may have been replaced, or taken away by the client, while the answer was awaited.
      if (session.subscriptions.get(filter) !== subscription) return;
      session.stopRetained(filter);
      broker.subscriptions.remove(subscription);
    };
    const request = { client, action: "subscribe", topic, qos, retain: false } as const;
    return { name: `the subscription to ${filter}`, topic: filter, request, end };
  });
}

function listWill(broker: Broker, session: Session, client: ClientIdentity): Held[] {
  const { will } = session;
  if (will === undefined) return [];
  const { topic, qos, retain } = will.message;
  const end = (): void => {
    if (session.will !== will) return;
    broker.wills.cancel(session);
    broker.sessions.save(session);
  };
  const request = { client, action: "will", topic, qos, retain } as const;
  return [{ name: `the will on ${topic}`, topic, request, end }];
}
