/** Who ended a connection, and why: for the log and for events. */
import { describeReasonCode, type ReasonCode } from "../base/index.ts";

export interface ConnectionEnding {
  readonly by: "client" | "broker";
  /** What the other side was told; undefined when nothing was said. */
  readonly reasonCode: ReasonCode | undefined;
  readonly why: string;
}

/** `broker: 0x8d keep alive timeout, nothing came ...` */
export function describeEnding(ending: ConnectionEnding): string {
  const code = ending.reasonCode === undefined ? "" : `${describeReasonCode(ending.reasonCode)}, `;
  return `${ending.by}: ${code}${ending.why}`;
}

/** The transport is gone, and the client has not said DISCONNECT. */
export function endedByLoss(cause: Error | undefined): ConnectionEnding {
  const why =
    cause === undefined
      ? "closed its connection without DISCONNECT"
      : `connection lost: ${cause.message}`;
  return { by: "client", reasonCode: undefined, why };
}
