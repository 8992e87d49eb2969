/** The files of a listener with TLS: what is wrong with them at the start, and what happens when they change. */
import assert from "node:assert/strict";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { TlsSettings } from "../../src/listeners/index.ts";
import { until } from "../../src/listeners/recording.ts";
import { TestAuthority } from "./test-authority.ts";
import { openTls, shakeHands, type TlsListener } from "./tls-listener.ts";

type Parts = Pick<TlsListener, "authority" | "folder">;
type Mistake = (parts: Parts) => Promise<Partial<TlsSettings>> | Partial<TlsSettings>;

async function ownFiles({
  authority,
  folder,
}: Parts): Promise<{ certFile: string; keyFile: string }> {
  return folder.writeIssued("own", await authority.issue("own"));
}

const mistakes: Readonly<Record<string, readonly [Mistake, RegExp]>> = {
  "no certificate": [() => ({ certificates: [] }), /^TLS needs a certificate/],
  "a certificate that is not there": [
    async (parts) => ({
      certificates: [{ ...(await ownFiles(parts)), certFile: parts.folder.path("gone.crt") }],
    }),
    /gone\.crt does not exist$/,
  ],
  "a folder instead of a key": [
    async (parts) => ({
      certificates: [{ ...(await ownFiles(parts)), keyFile: parts.folder.path("") }],
    }),
    /is a directory$/,
  ],
  "a key instead of a certificate": [
    async (parts) => {
      const { keyFile } = await ownFiles(parts);
      return { certificates: [{ certFile: keyFile, keyFile }] };
    },
    /own\.key holds no certificate in PEM form/,
  ],
  "half a certificate": [
    async (parts) => {
      const { certificate, key } = await parts.authority.issue("own");
      const half = certificate.slice(0, certificate.length / 2);
      return {
        certificates: [
          parts.folder.writeIssued("half", { certificate: half, key, serialNumber: "" }),
        ],
      };
    },
    /half\.crt holds a certificate that is damaged or half written/,
  ],
  "a chain whose second certificate is damaged": [
    async (parts) => {
      const own = await parts.authority.issue("own");
      const certificate = `${own.certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
      return { certificates: [parts.folder.writeIssued("chain", { ...own, certificate })] };
    },
    /chain\.crt holds a certificate that is damaged/,
  ],
  "the key of another": [
    async (parts) => {
      const { certFile } = await ownFiles(parts);
      const { keyFile } = parts.folder.writeIssued("other", await parts.authority.issue("other"));
      return { certificates: [{ certFile, keyFile }] };
    },
    /the key in .*other\.key does not belong to the \(first\) certificate in .*own\.crt/,
  ],
  "no key": [
    async (parts) => {
      const { certFile } = await ownFiles(parts);
      return { certificates: [{ certFile, keyFile: parts.folder.write("x.key", "secret words") }] };
    },
    /x\.key holds no private key in PEM form/,
  ],
  "a key with a passphrase": [
    async (parts) => {
      const { certFile } = await ownFiles(parts);
      const text = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n";
      return { certificates: [{ certFile, keyFile: parts.folder.write("x.key", text) }] };
    },
    /x\.key is encrypted.*store it without one/,
  ],
  "a second certificate that is wrong": [
    async (parts) => {
      const own = await ownFiles(parts);
      return { certificates: [own, { ...own, certFile: parts.folder.path("second.crt") }] };
    },
    /second\.crt does not exist/,
  ],
  "client certificates of nobody's CA": [
    () => ({ clientCertificates: "required" }),
    /clientCertificates is "required" without a CA/,
  ],
  "a list that nothing is looked up in": [
    () => ({ crlFile: "ca.crl" }),
    /nothing would be looked up in the revocation list ca\.crl/,
  ],
  "a CA file without certificates": [
    ({ folder }) => ({ clientCertificates: "optional", caFile: folder.write("x.crt", "") }),
    /x\.crt holds no certificate/,
  ],
  "a CA file as list": [
    ({ folder }) => {
      const caFile = folder.path("ca.crt");
      return { clientCertificates: "optional", caFile, crlFile: caFile };
    },
    /ca\.crt holds no revocation list in PEM form/,
  ],
  "half a list": [
    async ({ authority, folder }) => {
      const crlFile = folder.write("half.crl", (await authority.revoke([])).slice(0, 200));
      return { clientCertificates: "optional", caFile: folder.path("ca.crt"), crlFile };
    },
    /half\.crl holds a revocation list that is damaged or half written/,
  ],
  "the list of another CA": [
    async ({ folder }) => {
      const crlFile = folder.write("x.crl", await (await TestAuthority.make("other")).revoke([]));
      return { clientCertificates: "optional", caFile: folder.path("ca.crt"), crlFile };
    },
    /x\.crl holds no revocation list of the CA "CN=test CA"/,
  ],
};

for (const [name, [mistake, why]] of Object.entries(mistakes)) {
  test(`does not open with ${name}, and names the file`, async (context) => {
    await assert.rejects(openTls(context, mistake), (error) => {
      const { code, message } = error as { code: string; message: string };
      assert.equal(code, "CERTIFICATE_INVALID");
      assert.match(message, why);
      assert.doesNotMatch(message, /secret words/);
      return true;
    });
  });
}

/** The serial number of what a new client is shown. */
async function seen(context: TestContext, opened: TlsListener): Promise<string> {
  const options = { rejectUnauthorized: false };
  const peer = await shakeHands(context, opened, options);
  const { serialNumber } = peer.getPeerCertificate();
  peer.destroy();
  return serialNumber;
}

async function waitForLog(opened: TlsListener, text: RegExp): Promise<void> {
  await until(() => text.test(opened.log.told.join("\n")), String(text));
}

test("a renewed certificate is served to the next connection; open ones stay", async (context) => {
  const opened = await openTls(context);
  const peer = await shakeHands(context, opened);
  await until(() => opened.acceptor.connections.length === 1, "the first");
  const renewed = await opened.authority.issue("localhost");
  opened.folder.writeIssued("localhost", renewed);
  await waitForLog(opened, /^info serves the renewed certificates/m);
  assert.equal(await seen(context, opened), renewed.serialNumber);
  peer.write("still here");
  const [connection] = opened.acceptor.connections;
  await until(() => connection.received.length === 10, "what an open connection sends");
});

test("a certificate without its key, then with it: the old is served until both fit", async (context) => {
  const opened = await openTls(context);
  const before = await seen(context, opened);
  const renewed = await opened.authority.issue("localhost");
  opened.folder.write("localhost.crt", renewed.certificate);
  await waitForLog(
    opened,
    /^error changed certificates are not good: it serves the old .*does not belong/m,
  );
  assert.equal(await seen(context, opened), before);
  opened.folder.write("localhost.crt", renewed.certificate); // the same trouble is told once
  opened.folder.write("localhost.key", renewed.key);
  await waitForLog(opened, /^info the certificates are good again, and served/m);
  assert.equal(await seen(context, opened), renewed.serialNumber);
  assert.equal(opened.log.told.filter((line) => line.includes("are not good")).length, 1);
});

test("a file that goes is told, and one that comes back too", async (context) => {
  const opened = await openTls(context);
  const before = await seen(context, opened);
  const file = opened.folder.path("localhost.key");
  renameSync(file, `${file}.away`);
  await waitForLog(opened, /^error .*localhost\.key does not exist/m);
  assert.equal(await seen(context, opened), before);
  renameSync(`${file}.away`, file);
  await waitForLog(opened, /^info the certificates are good again/m);
});

test("symbolic links that are turned, as Kubernetes does it, are seen", async (context) => {
  const opened = await openTls(context, async ({ authority, folder }) => {
    for (const name of ["one", "two"]) folder.writeIssued(name, await authority.issue("localhost"));
    symlinkSync("one.crt", folder.path("link.crt"));
    symlinkSync("one.key", folder.path("link.key"));
    return {
      certificates: [{ certFile: folder.path("link.crt"), keyFile: folder.path("link.key") }],
    };
  });
  const before = await seen(context, opened);
  for (const end of ["crt", "key"]) {
    symlinkSync(`two.${end}`, opened.folder.path("new"));
    renameSync(opened.folder.path("new"), opened.folder.path(`link.${end}`));
  }
  await waitForLog(opened, /serves the renewed|good again/);
  assert.notEqual(await seen(context, opened), before);
});

test("a further certificate is renewed as well", async (context) => {
  const named = { altNames: [{ type: "dns" as const, value: "a.example" }] };
  const opened = await openTls(context, async ({ authority, folder }) => {
    const first = folder.writeIssued("first", await authority.issue("first"));
    return { certificates: [first, folder.writeIssued("a", await authority.issue("a", named))] };
  });
  const renewed = await opened.authority.issue("a", named);
  opened.folder.writeIssued("a", renewed);
  await waitForLog(opened, /serves the renewed|good again/);
  const peer = await shakeHands(context, opened, { servername: "a.example" });
  assert.equal(peer.getPeerCertificate().serialNumber, renewed.serialNumber);
});

test("what ends soon is told at the start, what has ended is served and told louder", async (context) => {
  const soon = await openTls(context, async ({ authority, folder }) => {
    return { certificates: [folder.writeIssued("x", await authority.issue("x", { days: 12.5 }))] };
  });
  assert.equal(soon.log.told.length, 1);
  assert.match(
    soon.log.told[0],
    /^warn the certificate of CN=x ends in 13 days: renew it \{.*x\.crt"/,
  );
  const late = await openTls(context, async ({ authority, folder }) => {
    return { certificates: [folder.writeIssued("x", await authority.issue("x", { days: -1 }))] };
  });
  assert.match(late.log.told[0], /^error the certificate of CN=x has expired: renew it/);
  await seen(context, late);
  const fine = await openTls(context);
  assert.deepEqual(fine.log.told, []);
});

test("nothing is looked at any more when the listener is closed", async (context) => {
  const opened = await openTls(context);
  await opened.listener.close();
  rmSync(opened.folder.path("localhost.key"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(opened.log.told, []);
});
