/** Who is let in with which certificate, and what the broker hears of it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import type { TlsSettings } from "../../src/listeners/index.ts";
import { portOf, until } from "../../src/listeners/recording.ts";
import { type Issued, TestAuthority } from "./test-authority.ts";
import { openTls, shakeHands, type TlsListener } from "./tls-listener.ts";

type Choice = TlsSettings["clientCertificates"];

/** With a CA, and a list on which `revoked` stands. */
async function open(
  context: TestContext,
  clientCertificates: Choice,
): Promise<TlsListener & { readonly revoked: Issued }> {
  let revoked: Issued | undefined;
  const opened = await openTls(context, async ({ authority, folder }) => {
    revoked = await authority.issue("revoked");
    const crlFile = folder.write("ca.crl", await authority.revoke([revoked]));
    return { caFile: folder.path("ca.crt"), crlFile, clientCertificates };
  });
  assert.ok(revoked !== undefined);
  return { ...opened, revoked };
}

type Outcome = { readonly connected: string | undefined } | { readonly refused: string };

/** What comes of a client that would speak: the common name that the broker hears, or why it hears nothing. */
async function tryOut(
  context: TestContext,
  opened: TlsListener,
  options: ConnectionOptions,
): Promise<Outcome> {
  const { acceptor, log } = opened;
  const accepted = acceptor.connections.length;
  const told = log.lines.length;
  shakeHands(context, opened, options).then(
    (peer) => peer.resume().write("x"),
    () => undefined, // the listener says why
  );
  await until(
    () => acceptor.connections.length > accepted || log.lines.length > told,
    "an outcome",
  );
  if (acceptor.connections.length === accepted) return { refused: log.lines.slice(told).join() };
  const { transport } = acceptor.connections[accepted];
  const connected = transport.clientCertificate?.commonName;
  transport.destroy();
  return { connected };
}

/** All tickets that a client gets before its connection is ended. */
async function takeSessions(
  context: TestContext,
  { authority, listener }: TlsListener,
  options: ConnectionOptions,
): Promise<Buffer[]> {
  const sessions: Buffer[] = [];
  const where = { host: "127.0.0.1", port: portOf(listener), servername: "localhost" };
  const peer = connect({ ...where, ca: authority.certificate, ...options });
  context.after(() => peer.destroy());
  peer.on("session", (session: Buffer) => sessions.push(session));
  peer.on("error", () => undefined); // `close` follows
  await until(() => peer.resume().closed, "the end");
  return sessions;
}

const show = ({ certificate: cert, key }: Issued): ConnectionOptions => ({ cert, key });

for (const choice of ["optional", "required"] as const) {
  test(`${choice}: what is not verified is refused, and the log says why`, async (context) => {
    const opened = await open(context, choice);
    const { authority, revoked } = opened;
    const other = await TestAuthority.make();
    const bad: readonly (readonly [Issued, RegExp])[] = [
      [revoked, /CERT_REVOKED/],
      [await authority.issue("late", { days: -1 }), /CERT_HAS_EXPIRED/],
      // Of a CA with the same name.
      [await other.issue("forged"), /CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/],
      [await (await TestAuthority.make("x")).issue("ada"), /UNABLE_TO_(?:VERIFY|GET_ISSUER)/],
    ];
    for (const [issued, why] of bad) {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const outcome = await tryOut(context, opened, { ...show(issued), maxVersion });
        assert.ok("refused" in outcome, "must be refused");
        assert.match(outcome.refused, why);
        assert.match(
          outcome.refused,
          /its certificate is not accepted.*"remote":"127\.0\.0\.1:|"remote"/,
        );
      }
    }
    assert.equal(opened.acceptor.connections.length, 0);
  });

  test(`${choice}: who shows a bad certificate gets no ticket either`, async (context) => {
    const opened = await open(context, choice);
    const foreign = await (await TestAuthority.make("x")).issue("ada");
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { ...show(foreign), maxVersion };
      assert.deepEqual(await takeSessions(context, opened, options), []);
    }
  });

  test(`${choice}: a good certificate names its owner`, async (context) => {
    const opened = await open(context, choice);
    const ada = await opened.authority.issue("O=Engines, CN=ada", {
      altNames: [
        { type: "dns", value: "ada.example" },
        { type: "email", value: "ada@example.org" },
        { type: "url", value: "urn:device:7, DNS:admin" },
      ],
    });
    await shakeHands(context, opened, show(ada));
    await until(() => opened.acceptor.connections.length === 1, "it");
    const { fingerprint, ...others } =
      opened.acceptor.connections[0].transport.clientCertificate ?? {};
    assert.match(fingerprint ?? "", /^[0-9A-F]{64}$/);
    assert.deepEqual(others, {
      commonName: "ada",
      subjectAlternativeNames: [
        "DNS:ada.example",
        "email:ada@example.org",
        "URI:urn:device:7, DNS:admin",
      ],
      serialNumber: ada.serialNumber,
    });
  });
}

test("a certificate with two common names has none", async (context) => {
  const opened = await open(context, "required");
  const two = await opened.authority.issue("CN=admin, CN=ada");
  assert.deepEqual(await tryOut(context, opened, show(two)), { connected: undefined });
});

test("required: without a certificate there is no connection; optional: it is anonymous", async (context) => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const optional = await open(context, "optional");
    assert.deepEqual(await tryOut(context, optional, { maxVersion }), { connected: undefined });
    const required = await open(context, "required");
    const outcome = await tryOut(context, required, { maxVersion });
    assert.ok("refused" in outcome);
    assert.match(outcome.refused, /it has shown no certificate/);
  }
});

test("none: a certificate is not asked for, and names nobody", async (context) => {
  const opened = await openTls(context);
  const ada = await opened.authority.issue("ada");
  assert.deepEqual(await tryOut(context, opened, show(ada)), { connected: undefined });
});

test("a list that has ended refuses all, and the log has said so at the start", async (context) => {
  const opened = await openTls(context, async ({ authority, folder }) => {
    const crlFile = folder.write("ca.crl", await authority.revoke([], -1));
    return { caFile: folder.path("ca.crt"), crlFile, clientCertificates: "required" };
  });
  assert.match(opened.log.told.join(), /^error the revocation list has expired: renew it/);
  const outcome = await tryOut(context, opened, show(await opened.authority.issue("ada")));
  assert.ok("refused" in outcome);
  assert.match(outcome.refused, /CRL_HAS_EXPIRED/);
});
