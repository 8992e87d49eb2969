/** What a change of users means for those who are connected: told to the broker at once, and the log what follows from it. */
import type { UserChange, UserDirectory } from "../../auth/index.ts";
import type { Log } from "../../base/index.ts";
import type { Broker } from "../../index.ts";
import type { ListenerConfiguration } from "./configuration-listeners.ts";
import { findAnonymousRights } from "./identity.ts";

interface Concerned {
  readonly directory: UserDirectory;
  readonly broker: Pick<Broker, "rightsChanged" | "disconnectUser">;
  readonly listeners: readonly ListenerConfiguration[];
  readonly log: Log;
}

export function handOnChanges({ directory, broker, listeners, log }: Concerned): void {
  let wasEmpty = directory.isEmpty;
  directory.onChange((change) => {
    handOn(change, broker);
    if (directory.isEmpty === wasEmpty) return;
    wasEmpty = directory.isEmpty;
    const changed = listeners.filter(
      ({ anonymous }) =>
        (findAnonymousRights(anonymous, true) === undefined) !==
        (findAnonymousRights(anonymous, false) === undefined),
    );
    // Anonymous clients have lost what they may do, or there are none.
    if (!wasEmpty) broker.rightsChanged();
    if (changed.length === 0) return;
    const urls = changed.map(({ url }) => url);
    const text = wasEmpty
      ? "there are no users any more: clients without a password are accepted again"
      : "there are users now: clients without a user name are refused from now on";
    log.warn({ listeners: urls }, `${text} (${urls.join(", ")})`);
  });
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
