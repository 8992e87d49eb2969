/** The two ways in which this folder says no. Neither repeats what was sent: it may be long, or a secret. */
import { TstackError } from "../base/index.ts";

/** A payload is not what the mapping says. */
export function unreadable(message: string, options?: ErrorOptions): TstackError {
  return new TstackError("PAYLOAD_UNREADABLE", message, options);
}

/** A mapping file does not say what it must. */
export function misconfigured(message: string, options?: ErrorOptions): TstackError {
  return new TstackError("CONFIGURATION_INVALID", message, options);
}
