/** Listeners with TLS for tests, and clients that shake hands with them. */
import { once } from "node:events";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Listener, ListenOptions, TlsSettings } from "../../src/listeners/index.ts";
import {
  listenForTest,
  portOf,
  RecordedLog,
  type RecordingAcceptor,
} from "../../src/listeners/recording.ts";
import { CertificateFolder, TestAuthority } from "./test-authority.ts";

export interface TlsListener {
  readonly authority: TestAuthority;
  readonly folder: CertificateFolder;
  readonly listener: Listener;
  readonly acceptor: RecordingAcceptor;
  readonly log: RecordedLog;
}

type Settings = Partial<TlsSettings>;

/** With a certificate for localhost (localhost.crt, localhost.key) of a CA of its own (ca.crt). */
export async function openTls(
  context: TestContext,
  settings: (
    parts: Pick<TlsListener, "authority" | "folder">,
  ) => Settings | Promise<Settings> = () => ({}),
  { url = "mqtts://127.0.0.1:0", ...options }: ListenOptions & { readonly url?: string } = {},
): Promise<TlsListener> {
  const authority = await TestAuthority.make();
  const folder = new CertificateFolder(context);
  folder.write("ca.crt", authority.certificate);
  const own = await authority.issue("localhost", {
    altNames: [{ type: "dns", value: "localhost" }],
  });
  const tls: TlsSettings = {
    certificates: [folder.writeIssued("localhost", own)],
    clientCertificates: "none",
    versionMin: "TLSv1.2",
    ...(await settings({ authority, folder })),
  };
  const log = new RecordedLog();
  const opened = await listenForTest(context, url, { log, filesMilliseconds: 20, tls, ...options });
  return { authority, folder, log, ...opened };
}

/** The client after its handshake, as far as it can see; rejects when that fails. */
export async function shakeHands(
  context: TestContext,
  { authority, listener }: Pick<TlsListener, "authority" | "listener">,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port: portOf(listener),
    servername: "localhost",
    ca: authority.certificate,
    ...options,
  });
  context.after(() => socket.destroy());
  await once(socket, "secureConnect", { signal: AbortSignal.timeout(8000) });
  socket.on("error", () => undefined);
  return socket;
}
