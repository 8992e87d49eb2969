/** 5.0 section 4.12 with SCRAM-SHA-256 (RFC 5802, RFC 7677) over real sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hashPassword,
  makeScramKeys,
  ScramAuthenticator,
  UserAdministration,
  UserDirectory,
} from "../../src/auth/index.ts";
import { ReasonCode, systemClock } from "../../src/base/index.ts";
import { type AuthPacket, type ConnectPacket, PacketType } from "../../src/codec/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import {
  conformanceTest,
  connectPacket,
  onlyV5,
  type RawClient,
  type World,
} from "../conformance/harness/index.ts";
import { ScramClient } from "./scram-client.ts";

const authenticationMethod = "SCRAM-SHA-256";
const directory = new UserDirectory({ configured: [], records: [] });
const administration = new UserAdministration(directory, new MemoryStorage(), {
  clock: systemClock,
  hashPassword,
  makeScramKeys,
});
await administration.addUser({ name: "user", password: "pencil", scram: true });
await administration.addUser({ name: "a=b,c ü", password: "I\u00adX", scram: true });
await administration.addUser({ name: "plain", password: "pencil" });
await administration.addUser({ name: "off", password: "pencil", scram: true, isEnabled: false });

const versions = onlyV5;
const broker = { enhancedAuthenticators: [new ScramAuthenticator(directory)] };

function connectWith(data: string, fields: Partial<ConnectPacket> = {}): ConnectPacket {
  const properties = { authenticationMethod, authenticationData: Buffer.from(data) };
  return connectPacket(5, { ...fields, properties });
}

function auth(data: string, reasonCode: AuthPacket["reasonCode"] = goOn): AuthPacket {
  const properties = { authenticationMethod, authenticationData: Buffer.from(data) };
  return { type: PacketType.auth, reasonCode, properties };
}
const goOn = ReasonCode.continueAuthentication;
const anew = ReasonCode.reAuthenticate;

async function expectData(client: RawClient, reasonCode: number = goOn): Promise<string> {
  const packet = await client.expectPacket(PacketType.auth);
  assert.equal(packet.reasonCode, reasonCode);
  assert.equal(packet.properties.authenticationMethod, authenticationMethod);
  return Buffer.from(packet.properties.authenticationData ?? "").toString();
}

/** Up to the server's first message. */
async function begin(world: World, scram: ScramClient, fields?: Partial<ConnectPacket>) {
  const client = await world.open();
  client.send(connectWith(scram.first, fields));
  return { client, serverFirst: await expectData(client) };
}

async function logIn(world: World, scram: ScramClient, fields?: Partial<ConnectPacket>) {
  const { client, serverFirst } = await begin(world, scram, fields);
  client.send(auth(scram.final(serverFirst)));
  const { reasonCode, properties } = await client.expectPacket(PacketType.connack);
  assert.equal(reasonCode, ReasonCode.success);
  assert.equal(properties.authenticationMethod, authenticationMethod);
  scram.expectProof(Buffer.from(properties.authenticationData ?? "").toString());
  return client;
}

async function expectFails(world: World, name: string, password: string): Promise<void> {
  const scram = new ScramClient(name, password);
  const { client, serverFirst } = await begin(world, scram);
  client.send(auth(scram.final(serverFirst)));
  await client.expectRefused(ReasonCode.badUserNameOrPassword);
}

test("the client of these tests computes what RFC 7677 says", () => {
  const client = new ScramClient("user", "pencil", { nonce: "rOprNGfwEbeRWgbNEkqO" });
  assert.equal(client.first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  assert.equal(
    client.final(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`),
    `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  );
  client.expectProof("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

conformanceTest(
  "5.0 [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] SCRAM: client and server prove that they know the password",
  { versions, broker },
  async (world) => {
    const client = await logIn(world, new ScramClient("user", "pencil"));
    await client.ping();
    await logIn(world, new ScramClient("user", "pencil", { header: "y,," }));
    await logIn(world, new ScramClient("user", "pencil"), { userName: "user" });
    // SASLprep takes the soft hyphen out of "I-X" (RFC 4013, section 3).
    await logIn(world, new ScramClient("a=b,c ü", "IX"), { clientIdentifier: "other" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-4] SCRAM: a wrong password, a user without keys, a disabled one and nobody fail alike, at the end",
  { versions, broker },
  async (world) => {
    await expectFails(world, "user", "Pencil");
    await expectFails(world, "plain", "pencil");
    await expectFails(world, "off", "pencil");
    await expectFails(world, "nobody", "pencil");
    await logIn(world, new ScramClient("user", "pencil"));
  },
);

conformanceTest(
  "SCRAM: the salt of a name is always the same, whether it is a user's or not; the nonce never is",
  { versions, broker },
  async (world) => {
    for (const name of ["user", "plain", "nobody"]) {
      const answers = new Set<string>();
      const nonces = new Set<string>();
      for (let count = 0; count < 3; count++) {
        const scram = new ScramClient(name, "x", { nonce: "always-the-same" });
        const { serverFirst } = await begin(world, scram);
        const [, nonce, rest] =
          /^r=([^,]*),(s=[A-Za-z0-9+/]{22}==,i=4096)$/.exec(serverFirst) ?? [];
        assert.match(nonce, /^always-the-same.{32}$/);
        answers.add(rest);
        nonces.add(nonce);
      }
      assert.equal(answers.size, 1, name);
      assert.equal(nonces.size, 3, name);
    }
  },
);

conformanceTest(
  "SCRAM: CONNECT's own User Name must be the same",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith(new ScramClient("user", "pencil").first, { userName: "plain" }));
    await client.expectRefused(ReasonCode.notAuthorized);
  },
);

conformanceTest(
  "SCRAM: what was sent in another exchange does not let in again",
  { versions, broker },
  async (world) => {
    const scram = new ScramClient("user", "pencil");
    const { client, serverFirst } = await begin(world, scram);
    const final = scram.final(serverFirst);
    client.send(auth(final));
    await client.expectPacket(PacketType.connack);
    const thief = await begin(world, scram);
    assert.notEqual(thief.serverFirst, serverFirst);
    thief.client.send(auth(final));
    await thief.client.expectRefused(ReasonCode.protocolError);
    // The right nonce with the proof that was overheard.
    const again = await begin(world, scram);
    const proof = final.slice(final.indexOf(",p="));
    const own = scram.final(again.serverFirst);
    again.client.send(auth(own.slice(0, own.indexOf(",p=")) + proof));
    await again.client.expectRefused(ReasonCode.badUserNameOrPassword);
  },
);

conformanceTest(
  "SCRAM: a last message that was changed on its way fails, byte by byte",
  { versions, broker, onlyOn: "tcp" },
  async (world) => {
    const scram = new ScramClient("user", "pencil");
    const length = "c=biws,r=".length;
    for (const place of [0, 1, 2, 5, length, length + 30, -1, -2, -20, -44, -46]) {
      const { client, serverFirst } = await begin(world, scram);
      const final = Buffer.from(scram.final(serverFirst));
      const at = place < 0 ? final.length + place : place;
      final[at] = final[at] === 0x41 ? 0x42 : 0x41;
      client.send(auth(final.toString()));
      const { reasonCode } = await client.expectPacket(PacketType.connack);
      assert.ok(reasonCode >= 0x80, `byte ${place}`);
    }
  },
);

conformanceTest(
  "SCRAM: who takes the client's word on channel binding out of its first message is found out",
  { versions, broker },
  async (world) => {
    for (const boundHeader of ["y,,", "n,a=user,", "p=tls-unique,,", ""]) {
      const scram = new ScramClient("user", "pencil", { boundHeader });
      const { client, serverFirst } = await begin(world, scram);
      client.send(auth(scram.final(serverFirst)));
      await client.expectRefused(ReasonCode.protocolError);
    }
  },
);

const nonce = "r=abcdefgh";
for (const first of [
  "",
  "n",
  "n,,",
  `n,,${nonce}`,
  `n,,n=,${nonce}`,
  "n,,n=user",
  "n,,n=user,r=",
  "n,,n=user,r=a b",
  `n,,n=user,r=${"x".repeat(257)}`,
  `n,,${nonce},n=user`,
  `n,,n=us=er,${nonce}`,
  `n,,n=us=2cer,${nonce}`,
  `n,,m=x,n=user,${nonce}`,
  `n,,n=user,${nonce},`,
  `n,,n=user,${nonce},xy`,
  `n,a=plain,n=user,${nonce}`,
  `n,a=user,n=user,${nonce}`,
  `p=tls-unique,,n=user,${nonce}`,
  `x,,n=user,${nonce}`,
  `N,,n=user,${nonce}`,
  ` n,,n=user,${nonce}`,
  `\ufeffn,,n=user,${nonce}`,
]) {
  const shown = JSON.stringify(first.slice(0, 40));
  conformanceTest(
    `SCRAM: ${shown} is no first message`,
    { versions, broker, onlyOn: "tcp" },
    async (world) => {
      const client = await world.open();
      client.send(connectWith(first));
      await client.expectRefused(ReasonCode.protocolError);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.12.1-1] [MQTT-4.12.1-2] SCRAM: a client authenticates anew; another user, a wrong password or a disabled user ends it",
  { versions, broker },
  async (world) => {
    const scram = new ScramClient("user", "pencil");
    const client = await logIn(world, scram);
    client.send(auth(scram.first, anew));
    client.send(auth(scram.final(await expectData(client))));
    scram.expectProof(await expectData(client, ReasonCode.success));
    await client.ping();
    const other = new ScramClient("a=b,c ü", "IX");
    client.send(auth(other.first, anew));
    client.send(auth(other.final(await expectData(client))));
    await client.expectDisconnected(ReasonCode.notAuthorized);

    const guesser = await logIn(world, scram);
    const wrong = new ScramClient("user", "guess");
    guesser.send(auth(wrong.first, anew));
    guesser.send(auth(wrong.final(await expectData(guesser))));
    await guesser.expectDisconnected(ReasonCode.notAuthorized);
  },
);

conformanceTest(
  "SCRAM: a user that is disabled, or whose password changes, between the messages fails",
  { versions, broker, onlyOn: "tcp" },
  async (world) => {
    await administration.addUser({ name: "late", password: "pencil", scram: true });
    const scram = new ScramClient("late", "pencil");
    const disabled = await begin(world, scram);
    await administration.setEnabled("late", false);
    disabled.client.send(auth(scram.final(disabled.serverFirst)));
    await disabled.client.expectRefused(ReasonCode.badUserNameOrPassword);
    await administration.setEnabled("late", true);
    const changed = await begin(world, scram);
    await administration.setPassword("late", { password: "crayon", scram: true });
    changed.client.send(auth(scram.final(changed.serverFirst)));
    await changed.client.expectRefused(ReasonCode.badUserNameOrPassword);
    await logIn(world, new ScramClient("late", "crayon"));
    await administration.removeUser("late");
  },
);

test("SCRAM: passwords that SASLprep forbids are refused without being repeated", async () => {
  for (const password of ["secret\u0007", "\u00ad", "\u0627\u0031"]) {
    await assert.rejects(
      makeScramKeys(password),
      (error: Error & { code?: string }) =>
        error.code === "USER_INVALID" && !error.message.includes("secret"),
    );
  }
});
