/**
 * What a change of users means for those who are connected, and for sessions that are kept: told to the broker at once, and
 * the log what follows from it. What changed while no broker ran is told at the start.
 */
import type { UserChange, UserDirectory } from "../../auth/index.ts";
import type { Log } from "../../base/index.ts";
import type { Broker } from "../../index.ts";
import type { ListenerConfiguration } from "./configuration-listeners.ts";
import { findAnonymousRights } from "./identity.ts";

interface Concerned {
  readonly directory: UserDirectory;
  readonly broker: Pick<Broker, "rightsChanged" | "disconnectUser" | "clients">;
  readonly listeners: readonly ListenerConfiguration[];
  readonly log: Log;
}

export function handOnChanges({ directory, broker, listeners, log }: Concerned): void {
  const isKnownByOthers = listeners.some(({ chain }) => knowsNames(chain));
  let wasEmpty = directory.isEmpty;
  directory.onChange((change) => {
    handOn(change, broker);
    if (change.kind === "added" && !isKnownByOthers) endLeftSessions(change, broker);
    if (directory.isEmpty === wasEmpty) return;
    wasEmpty = directory.isEmpty;
    const changed = listeners.filter(
      ({ anonymous }) =>
        (findAnonymousRights(anonymous, true) === undefined) !==
        (findAnonymousRights(anonymous, false) === undefined),
    );
    // Anonymous clients have lost what they may do, or there are none. Others keep what they have.
    if (!wasEmpty) broker.rightsChanged(new Set([""]));
    if (changed.length === 0) return;
    const urls = changed.map(({ url }) => url);
    const text = wasEmpty
      ? "there are no users any more: clients without a password are accepted again"
      : "there are users now: clients without a user name are refused from now on";
    log.warn({ listeners: urls }, `${text} (${urls.join(", ")})`);
  });
}

/** Users who have sessions may have other rights than when the broker ended. Nobody is connected yet. */
export function reviewRestored({
  directory,
  broker,
}: Pick<Concerned, "directory" | "broker">): void {
  const owners = broker.clients().flatMap(({ userName }) => userName ?? []);
  broker.rightsChanged(new Set(owners.filter((name) => directory.find(name) !== undefined)));
}

/** One of that name was removed while the broker did not run: what came for it is not for the new one. */
function endLeftSessions({ userNames }: UserChange, broker: Concerned["broker"]): void {
  broker.disconnectUser(userNames, { reason: "the user is a new one", endSessions: true });
}

/** Whether a token or a service may name a user who is in no list. */
function knowsNames(chain: ListenerConfiguration["chain"]): boolean {
  return chain.includes("jwt") || chain.includes("http");
}

function handOn({ kind, userNames }: UserChange, broker: Concerned["broker"]): void {
  switch (kind) {
    case "rights":
      broker.rightsChanged(userNames);
      return;
    case "password":
      broker.disconnectUser(userNames, { reason: "the user's password was changed" });
      return;
    case "disabled":
      broker.disconnectUser(userNames, { reason: "the user was disabled" });
      return;
    case "removed":
      broker.disconnectUser(userNames, { reason: "the user was removed", endSessions: true });
      return;
    case "added":
      return;
  }
}
