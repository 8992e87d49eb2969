/** What must have arrived when everybody has come back and answered everything, and what the broker must hold then. */
import type { Broker } from "../../../src/broker/index.ts";
import type { Session } from "../../../src/broker/session.ts";
import type { Epoch } from "./epoch.ts";
import type { GroupObligation, Model } from "./model.ts";

/** At the end of all things that happen. */
export function reckon(model: Model): void {
  for (const epoch of model.epochs.values()) {
    if (epoch.lifetime.mayBeGone(model.now)) continue;
    for (const { name } of epoch.obligations.values()) {
      model.check(`${name} was acknowledged and never came to ${epoch.clientIdentifier}`);
    }
    if (!model.around.hasTightQueues) checkWills(model, epoch);
  }
  for (const obligation of model.groupObligations) checkGroup(model, obligation);
  for (const conversation of model.conversations) {
    for (const [type, owed] of conversation.owed) {
      if (owed.length > 0)
        model.check(`${conversation.name}: ${owed.length} answers of type ${type} never came`);
    }
  }
}

function checkWills(model: Model, epoch: Epoch): void {
  for (const will of model.wills.values()) {
    const { record } = will;
    if (!will.mustHaveCome || record.qos === 0) continue;
    if (!epoch.isObliged(record, record.heardFirst) || epoch.arrivals.has(record.name)) continue;
    model.check(`the will ${record.name} never came to ${epoch.clientIdentifier}`);
  }
}

function checkGroup(model: Model, { group, record, moment }: GroupObligation): void {
  const { name } = record;
  const members = [...model.allEpochs()].filter((epoch) => epoch.mayBeMember(group));
  if (members.some(({ arrivals }) => arrivals.has(name))) return;
  const isSure = members.some((epoch) => {
    const subscription = epoch.memberOf(group);
    if (epoch.overSince !== undefined || epoch.lifetime.mayBeGone(model.now)) return false;
    return subscription?.obliges(record, epoch.clientIdentifier, moment) === true;
  });
  if (!isSure || model.mayBeGoneWithMember(members, group, { record, moment })) return;
  model.check(`${name} was acknowledged and never came to the group ${group}`);
}

/** Between two events: sessions, subscriptions and retained values that the broker holds are those that it must and may. */
export function audit(model: Model, broker: Broker): void {
  const sessions = new Map([...broker.sessions.all()].map((one) => [one.clientIdentifier, one]));
  for (const epoch of model.epochs.values()) {
    const session = sessions.get(epoch.clientIdentifier);
    sessions.delete(epoch.clientIdentifier);
    if (session !== undefined) auditSubscriptions(model, epoch, session);
    else if (!epoch.lifetime.mayBeGone(model.now)) {
      model.check(`there is no session of ${epoch.clientIdentifier}`);
    }
  }
  for (const name of sessions.keys()) model.check(`there is a session of ${name}`);
  for (const topic of model.retained.topics) {
    const message = broker.retained.get(topic);
    const payload = message?.bytes.subarray(message.payloadStart, message.payloadEnd);
    const name = payload === undefined ? "" : payload.toString("latin1").split(" ", 1)[0];
    const values = model.retained.current(topic);
    if (values.includes(name)) continue;
    model.check(`retained on ${topic} is "${name}", and not one of "${values.join('", "')}"`);
  }
}

function auditSubscriptions(model: Model, epoch: Epoch, session: Session): void {
  const { clientIdentifier, lifetime } = epoch;
  for (const [filter, subscription] of epoch.subscriptions) {
    if (subscription.sureFrom > model.moment || lifetime.mayBeGone(model.now)) continue;
    if (!session.subscriptions.has(filter))
      model.check(`${clientIdentifier} lost its subscription to ${filter}`);
  }
  for (const [filter, { qos, noLocal, retainAsPublished, identifier }] of session.subscriptions) {
    const wishes = epoch.subscriptions.get(filter)?.wishes ?? [];
    const isWished = wishes.some(
      ({ options }) =>
        options.qos === qos &&
        options.noLocal === noLocal &&
        options.retainAsPublished === retainAsPublished &&
        options.identifier === identifier,
    );
    if (!isWished)
      model.check(
        `${clientIdentifier} is subscribed to ${filter} at QoS ${qos}, which it did not ask for`,
      );
  }
}
