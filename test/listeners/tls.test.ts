/** What a client meets at a listener with TLS: names, versions, protocols, resumption. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { listen } from "../../src/listeners/index.ts";
import {
  countedBytes,
  firstConnection,
  nextEvent,
  RecordingAcceptor,
  until,
} from "../../src/listeners/recording.ts";
import { openTls, shakeHands, type TlsListener } from "./tls-listener.ts";

test("bytes pass in both directions, and the end too", async (context) => {
  const opened = await openTls(context);
  const peer = await shakeHands(context, opened);
  const bytes = countedBytes(1_000_000);
  const connection = await firstConnection(opened.acceptor);
  assert.match(opened.listener.url, /^mqtts:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(connection.transport.listener, opened.listener.url);
  assert.equal(connection.transport.remoteAddress, `127.0.0.1:${peer.localPort}`);
  assert.equal(connection.transport.clientCertificate, undefined);
  peer.write(bytes);
  await until(() => connection.received.length >= bytes.length, "the bytes");
  assert.deepEqual(connection.received, bytes);
  const answers: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => answers.push(chunk));
  connection.transport.write(bytes);
  await until(() => connection.drainedCount > 0, "drained");
  assert.equal(connection.transport.pendingBytes, 0);
  connection.transport.end();
  await nextEvent(peer, "close");
  assert.deepEqual(Buffer.concat(answers), bytes);
  await until(() => connection.causes.length > 0, "the end");
  assert.deepEqual(connection.causes, [undefined]);
});

const wanted: readonly (readonly [string | undefined, string])[] = [
  ["localhost", "localhost"],
  ["a.example", "CN of two"],
  ["A.Example", "CN of two"],
  ["b.example", "CN of two"],
  ["x.wild.example", "wild"],
  ["exact.wild.example", "exact"],
  ["x.y.wild.example", "localhost"],
  ["wild.example", "localhost"],
  ["fragment.part.example", "localhost"],
  ["CN of two", "localhost"],
  ["only-cn.example", "only-cn.example"],
  ["unknown.example", "localhost"],
  ["*.wild.example", "localhost"],
  [undefined, "localhost"],
];

test("each name gets its own certificate, and all others the first", async (context) => {
  const dns = (...names: string[]) => {
    return { altNames: names.map((value) => ({ type: "dns" as const, value })) };
  };
  const opened = await openTls(context, async ({ authority, folder }) => {
    const own = await authority.issue("localhost", dns("localhost"));
    const others = [
      await authority.issue("CN of two", dns("a.example", "b.example")),
      await authority.issue("wild", dns("*.wild.example", "frag*.part.example")),
      await authority.issue("exact", dns("exact.wild.example")),
      await authority.issue("only-cn.example"),
    ];
    const all = [own, ...others].map((one, index) => folder.writeIssued(`sni${index}`, one));
    return { certificates: all };
  });
  for (const [servername, expected] of wanted) {
    const options = { servername: servername ?? "", checkServerIdentity: () => undefined };
    const peer = await shakeHands(context, opened, options);
    assert.equal(peer.getPeerCertificate().subject.CN, expected, servername);
    peer.destroy();
  }
});

/** What the client is told, in OpenSSL's words. */
async function refusal(
  context: TestContext,
  opened: TlsListener,
  options: ConnectionOptions,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  shakeHands(context, opened, options).then(
    () => resolve("accepted"),
    (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message),
  );
  return promise;
}

test("ALPN: mqtt or nothing over mqtts; who offers only others gets the alert of RFC 7301", async (context) => {
  const opened = await openTls(context);
  const offers: readonly (readonly [string[], string | false])[] = [
    [[], false],
    [["mqtt"], "mqtt"],
    [["h2", "mqtt"], "mqtt"],
  ];
  for (const [ALPNProtocols, chosen] of offers) {
    const peer = await shakeHands(context, opened, { ALPNProtocols });
    assert.equal(peer.alpnProtocol, chosen);
  }
  assert.match(
    await refusal(context, opened, { ALPNProtocols: ["h2", "http/1.1"] }),
    /NO_APPLICATION_PROTOCOL/,
  );
  assert.match(opened.log.told.join(), /"why":"TLS failed: no application protocol"/);
});

test("ALPN: http/1.1 or nothing over wss", async (context) => {
  const opened = await openTls(context, undefined, { url: "wss://127.0.0.1:0/mqtt" });
  const peer = await shakeHands(context, opened, { ALPNProtocols: ["h2", "http/1.1"] });
  assert.equal(peer.alpnProtocol, "http/1.1");
  assert.match(await refusal(context, opened, { ALPNProtocols: ["h2"] }), /NO_APPLICATION/);
});

test("the lowest version is the one that was configured", async (context) => {
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
  const two = { maxVersion: "TLSv1.2" } as const;
  const low = await openTls(context);
  assert.match(await refusal(context, low, old), /PROTOCOL_VERSION/);
  assert.equal((await shakeHands(context, low, two)).getProtocol(), "TLSv1.2");
  assert.equal((await shakeHands(context, low)).getProtocol(), "TLSv1.3");
  const high = await openTls(context, () => ({ versionMin: "TLSv1.3" }));
  assert.match(await refusal(context, high, two), /PROTOCOL_VERSION/);
  assert.equal((await shakeHands(context, high)).getProtocol(), "TLSv1.3");
});

test("a client of TLS 1.2 cannot negotiate again", async (context) => {
  const opened = await openTls(context);
  const peer = await shakeHands(context, opened, { maxVersion: "TLSv1.2" });
  const { promise, resolve } = Promise.withResolvers<string>();
  peer.on("error", (error) => resolve(error.message));
  const begun = peer.renegotiate({}, (error) => resolve(error?.message ?? "negotiated again"));
  assert.match(begun === true ? await promise : "refused at once", /no renegotiation|refused/i);
});

/** In TLS 1.3 it comes after the handshake. */
async function takeSession(peer: TLSSocket): Promise<Buffer> {
  if (peer.getProtocol() === "TLSv1.3") return (await nextEvent(peer, "session"))[0] as Buffer;
  const session = peer.getSession();
  assert.ok(session !== undefined);
  return session;
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${maxVersion}: a session is resumed, and the client is who it was`, async (context) => {
    const opened = await openTls(context, ({ folder }) => {
      return { caFile: folder.path("ca.crt"), clientCertificates: "required" };
    });
    const { certificate: cert, key } = await opened.authority.issue("ada");
    const session = await takeSession(await shakeHands(context, opened, { cert, key, maxVersion }));
    const again = await shakeHands(context, opened, { cert, key, maxVersion, session });
    assert.equal(again.isSessionReused(), true);
    await until(() => opened.acceptor.connections.length === 2, "both");
    for (const { transport } of opened.acceptor.connections) {
      assert.equal(transport.clientCertificate?.commonName, "ada");
    }
  });

  test(`${maxVersion}: a session does not outlive a change of the revocation list`, async (context) => {
    const opened = await openTls(context, async ({ authority, folder }) => {
      const crlFile = folder.write("ca.crl", await authority.revoke([]));
      return { caFile: folder.path("ca.crt"), crlFile, clientCertificates: "required" };
    });
    const ada = await opened.authority.issue("ada");
    const options = { cert: ada.certificate, key: ada.key, maxVersion };
    const peer = await shakeHands(context, opened, options);
    const session = await takeSession(peer);
    opened.folder.write("ca.crl", await opened.authority.revoke([ada]));
    await until(() => /serves the renewed/.test(opened.log.told.join()), "the new list");
    const again = await shakeHands(context, opened, { ...options, session }).catch(() => undefined);
    if (again !== undefined) await nextEvent(again.resume(), "close");
    await until(() => /CERT_REVOKED/.test(opened.log.told.join()), "the refusal");
    assert.equal(opened.acceptor.connections.length, 1);
  });
}

const tls = { certificates: [], clientCertificates: "none", versionMin: "TLSv1.2" } as const;

test("TLS without settings, and settings without TLS, do not open", async () => {
  const acceptor = new RecordingAcceptor();
  for (const url of ["mqtts://127.0.0.1:0", "wss://127.0.0.1:0"]) {
    await assert.rejects(listen(url, acceptor), {
      code: "LISTEN_URL_INVALID",
      message: `cannot listen on "${url}": TLS needs a certificate: name its file and the file of its key`,
    });
  }
  for (const url of ["mqtt://127.0.0.1:0", "ws://127.0.0.1:0", "unix:///tmp/never-made.sock"]) {
    await assert.rejects(listen(url, acceptor, { tls }), {
      code: "LISTEN_URL_INVALID",
      message: /it has a certificate and does not encrypt; write mqtts:\/\/ or wss:\/\//,
    });
  }
});
