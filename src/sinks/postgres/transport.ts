/**
 * Opens the socket to a server, with TLS as libpq's `sslmode` says. Ours and not the driver's, so that the name in a
 * certificate is the host's, and so that a server that closes early is an error instead of another attempt.
 */
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import type { Address, TlsSettings } from "./settings.ts";

/** Says that a server has no TLS where the settings want it. */
export class TlsUnavailable extends Error {}

/** PostgreSQL's manual, section 55.2.10: SSLRequest, answered by one letter. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const yes = "S".charCodeAt(0);

export async function openSocket(
  address: Address,
  settings: TlsSettings,
  signal: AbortSignal,
): Promise<net.Socket> {
  const socket = net.connect(address);
  const destroy = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", destroy, { once: true });
  try {
    await once(socket, "connect");
    if ("path" in address || settings.mode === "disable") return socket.setNoDelay(true);
    return await secure(socket, address.host, settings);
  } catch (error) {
    socket.on("error", () => undefined); // what is wrong was said already
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", destroy);
  }
}

async function secure(
  socket: net.Socket,
  host: string,
  { mode, ca, cert, key }: TlsSettings,
): Promise<net.Socket> {
  const closed = once(socket, "close").then(() => {
    throw Object.assign(new Error("closed"), { code: "ECONNRESET" });
  });
  socket.write(sslRequest);
  const [answer] = (await Promise.race([once(socket, "data"), closed])) as [Buffer];
  // More than one byte would be what somebody on the way wants to be read as if it came by TLS.
  const isYes = answer.length === 1 && answer[0] === yes;
  if (!isYes) {
    if (mode === "prefer") return socket;
    throw new TlsUnavailable("the server has no TLS");
  }
  socket.removeAllListeners();
  const secured = tls.connect({
    socket,
    ca,
    cert,
    key,
    ...(net.isIP(host) === 0 ? { servername: host } : { host }),
    rejectUnauthorized: mode === "verify-ca" || mode === "verify-full",
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  });
  await once(secured, "secureConnect");
  return secured;
}
