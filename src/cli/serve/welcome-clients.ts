/** Who may connect to which listener, in words; and which listeners tell passwords to whoever listens on the way. */
import { isLoopbackUrl, parseListenUrl } from "../../listeners/index.ts";
import type { ListenerConfiguration } from "./configuration-listeners.ts";
import type { LinkName } from "./configuration-schema-listen.ts";

export interface OpenListener {
  /** With its real port. */
  readonly url: string;
  readonly configuration: ListenerConfiguration;
  /** At this moment. */
  readonly acceptsAnonymous: boolean;
}

export interface UserCounts {
  readonly configured: number;
  readonly stored: number;
}

interface ClientLine {
  readonly text: string;
  readonly fields: object;
}

/** One line for all listeners that say the same. */
export function describeClients(
  listeners: readonly OpenListener[],
  users: UserCounts,
): ClientLine[] {
  const urlsOfText = Map.groupBy(listeners, (listener) => describe(listener, users));
  return [...urlsOfText].map(([text, group]) => ({
    text: urlsOfText.size === 1 ? text : `${group.map(({ url }) => url).join(", ")}: ${text}`,
    fields: {
      users: users.configured + users.stored,
      anonymous: group[0].acceptsAnonymous,
      listeners: group.map(({ url }) => url),
    },
  }));
}

function describe({ configuration, acceptsAnonymous }: OpenListener, users: UserCounts): string {
  const { anonymous, chain, tls } = configuration;
  const known = chain.flatMap((name) => describeLink(name, users) ?? []);
  const mustShow =
    tls?.clientCertificates === "required" ? ", all with a certificate of the CA" : "";
  if (known.length > 0) {
    const others = acceptsAnonymous ? [...known, "clients without a user name"] : known;
    return `${others.join(", and ")}${mustShow}`;
  }
  if (!acceptsAnonymous) {
    return chain.includes("users") ? "nobody until there are users (tuser add)" : "nobody";
  }
  return anonymous.accepted === "always"
    ? `anyone, without a password (anonymous clients are allowed)${mustShow}`
    : `anyone on this machine, without a password (no users, so loopback only)${mustShow}`;
}

function describeLink(name: LinkName, { configured, stored }: UserCounts): string | undefined {
  switch (name) {
    case "users": {
      const places = [
        ...(configured > 0 ? [`${countUsers(configured)} of the configuration`] : []),
        ...(stored > 0 ? [`${countUsers(stored)} of the store`] : []),
      ];
      return places.length === 0 ? undefined : places.join(", ");
    }
    case "certificate":
      return "users with a client certificate";
    case "jwt":
      return "whoever has a token (JWT)";
    case "http":
      return "whoever the HTTP service knows";
    case "anonymous":
      return undefined;
  }
}

function countUsers(count: number): string {
  return `${count} ${count === 1 ? "user" : "users"}`;
}

/** Those that send passwords or tokens in clear to where other machines are. */
export function warnOfClearText(listeners: readonly OpenListener[]): string[] {
  const isClear = ({ configuration: { url, tls, proxyProtocol, chain } }: OpenListener) =>
    tls === undefined &&
    proxyProtocol === undefined &&
    !isLoopbackUrl(parseListenUrl(url)) &&
    chain.some((name) => name !== "anonymous");
  return listeners
    .filter(isClear)
    .map(
      ({ url }) =>
        `${url} is not encrypted: other machines reach it, and passwords and messages can be read on the way; ` +
        "use mqtts:// or wss:// (`tstack cert` makes certificates for a first set-up)",
    );
}

/** Those that were told to let anyone in, and let nobody in because nothing says what they may do beside users. */
export function warnOfRefusedAnonymous(listeners: readonly OpenListener[]): string[] {
  return listeners
    .filter((listener) => !listener.acceptsAnonymous)
    .filter(({ configuration }) => configuration.anonymous.accepted === "always")
    .map(
      ({ url }) =>
        `${url} refuses clients without a user name, although allowAnonymous is true: there are users, so anonymous.rights must say what others may do`,
    );
}
