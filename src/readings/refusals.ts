/** How this folder says no. What was sent is never repeated: it may be long, or a secret. */
import { TstackError } from "../base/index.ts";

/** A payload is not what the mapping says. */
export function unreadable(message: string, options?: ErrorOptions): TstackError {
  return new TstackError("PAYLOAD_UNREADABLE", message, options);
}

/** A mapping file does not say what it must. */
export function misconfigured(message: string, options?: ErrorOptions): TstackError {
  return new TstackError("CONFIGURATION_INVALID", message, options);
}

/** A name as it stands in a file, in quotes where it might be taken for more than a name. */
export function showName(name: string): string {
  return /^[\p{L}\p{N}_.$-]+$/u.test(name) ? name : JSON.stringify(name);
}
