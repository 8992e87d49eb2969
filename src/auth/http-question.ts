/** What an HTTP service is asked of a client: the same words for the same client, so that answers can be remembered. */
import type { AuthenticationRequest } from "../broker/ports.ts";

/** As JSON, with its members in one order. Passwords that are no UTF-8 go as `passwordBase64`. */
export function writeHttpQuestion(request: AuthenticationRequest): string {
  const { clientIdentifier, userName, password, protocolVersion, listener } = request;
  return JSON.stringify({
    clientIdentifier,
    userName,
    ...writePassword(password),
    remoteAddress: withoutPort(request.remoteAddress),
    listener,
    protocolVersion,
    certificate: request.clientCertificate,
  });
}

function writePassword(password: Uint8Array | undefined) {
  if (password === undefined) return {};
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { password: decoder.decode(password) };
  } catch {
    // No text: as bytes then.
    return { passwordBase64: Buffer.from(password).toString("base64") };
  }
}

/** Another one for each connection: `192.0.2.7:50123`, `[2001:db8::7]:50123`. */
function withoutPort(remoteAddress: string): string {
  return remoteAddress.replace(/^\[?(.*?)\]?:\d+$/, "$1");
}
