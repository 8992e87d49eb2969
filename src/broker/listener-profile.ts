/** What holds for the connections of one listener: the broker's own settings, and over them the listener's. */
import { completeLimits, type Limits, listenerLimitNames, TstackError } from "../base/index.ts";
import { MountPoint } from "./mount-point.ts";
import { type MountedOwner, MountedStream } from "./mounted-stream.ts";
import type { Authenticator, EnhancedAuthenticator, ListenerSettings, Transport } from "./ports.ts";

/** The broker's own, for everything that a listener leaves open. */
export interface ProfileDefaults {
  readonly limits: Limits;
  readonly authenticator: Authenticator;
  readonly enhancedAuthenticators: readonly EnhancedAuthenticator[];
}

export class ListenerProfile {
  readonly limits: Limits;
  readonly authenticator: Authenticator;
  readonly enhancedAuthenticators: ReadonlyMap<string, EnhancedAuthenticator>;
  readonly refusedPublish: "acknowledge" | "disconnect";
  readonly #mountPoint: MountPoint | undefined;
  /** Open connections, those before CONNACK among them. */
  connections = 0;

  /** Throws CONFIGURATION_INVALID, which names the limit. */
  constructor(defaults: ProfileDefaults, settings: ListenerSettings = {}) {
    const { limits = {}, mountPoint = "", refusedPublish = "acknowledge" } = settings;
    for (const name of Object.keys(limits)) {
      if ((listenerLimitNames as readonly string[]).includes(name)) continue;
      throw new TstackError("CONFIGURATION_INVALID", `${name} is no limit that a listener has`);
    }
    this.limits = completeLimits({ ...defaults.limits, ...limits });
    this.authenticator = settings.authenticator ?? defaults.authenticator;
    const methods = settings.enhancedAuthenticators ?? defaults.enhancedAuthenticators;
    this.enhancedAuthenticators = new Map(methods.map((method) => [method.method, method]));
    this.#mountPoint = mountPoint === "" ? undefined : new MountPoint(mountPoint);
    this.refusedPublish = refusedPublish;
  }

  /** What stands between a connection and its client, if the listener has a mount point. */
  mount(connection: MountedOwner, transport: Transport): MountedStream | undefined {
    const mountPoint = this.#mountPoint;
    return mountPoint && new MountedStream(connection, transport, mountPoint);
  }
}
