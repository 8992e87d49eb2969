/** Tokens in AUTH packets (5.0, section 4.12) and as passwords, on real sockets: they end, and can be renewed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  AuthenticatorChain,
  openJwtAuthenticator,
  RightsAuthorizer,
  UserDirectory,
} from "../../src/auth/index.ts";
import { ReasonCode, silentLog } from "../../src/base/index.ts";
import { type ConnectPacket, PacketType } from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectPacket,
  everyVersion,
  onlyV5,
  publishPacket,
  subscribePacket,
  VirtualClock,
} from "../conformance/harness/index.ts";
import { newKey, secret } from "./tokens.ts";

const folder = await mkdtemp(join(tmpdir(), "tstack-jwt-"));
after(() => rm(folder, { recursive: true }));
const secretFile = join(folder, "secret");
writeFileSync(secretFile, secret);

const clock = new VirtualClock();
const world = { clock, log: silentLog, timeOfDay: () => clock.now() + 1_000_000_000 };
const jwt = await openJwtAuthenticator({ secretFile, clockToleranceSeconds: 0 }, world);
const { sign } = await newKey("HS256");
const broker = {
  clock,
  authenticator: new AuthenticatorChain([jwt]),
  enhancedAuthenticators: [jwt],
  authorizer: new RightsAuthorizer(new UserDirectory({ configured: [], records: [] })),
};

const newToken = (sub: string, seconds: number, rights = ["a/#"]) =>
  sign({ sub, exp: world.timeOfDay() / 1000 + seconds, rights });

const properties = (token: string) => ({
  authenticationMethod: "JWT",
  authenticationData: Buffer.from(token),
});

function connectWith(token: string, fields: Partial<ConnectPacket> = {}): ConnectPacket {
  return connectPacket(5, { ...fields, properties: properties(token) });
}

const renewal = (token: string) =>
  ({
    type: PacketType.auth,
    reasonCode: ReasonCode.reAuthenticate,
    properties: properties(token),
  }) as const;

conformanceTest(
  "5.0 a token lets in with its rights, a fresh one renews them and the time that is left, and without the connection ends with 0xA0",
  { versions: onlyV5, broker },
  async (run) => {
    const client = await run.open();
    client.send(connectWith(await newToken("ada", 60)));
    const connack = await client.expectPacket(PacketType.connack);
    assert.equal(connack.reasonCode, ReasonCode.success);
    client.send(subscribePacket("b/b"));
    const suback = await client.expectPacket(PacketType.suback);
    assert.deepEqual(suback.reasonCodes, [ReasonCode.notAuthorized]);

    clock.advanceSeconds(59);
    client.send(renewal(await newToken("ada", 60, ["a/#", "b/#"])));
    const auth = await client.expectPacket(PacketType.auth);
    assert.equal(auth.reasonCode, ReasonCode.success);
    client.send(subscribePacket("b/b"));
    assert.deepEqual((await client.expectPacket(PacketType.suback)).reasonCodes, [2]);
    clock.advanceSeconds(59);
    await client.ping();
    clock.advanceSeconds(1);
    const end = await client.expectPacket(PacketType.disconnect);
    assert.equal(end.reasonCode, ReasonCode.maximumConnectTime);
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-4] [MQTT-4.12.1-2] a token that is wrong, another user's, or none lets nobody in and ends what it should renew",
  { versions: onlyV5, broker },
  async (run) => {
    const wrong = [await newToken("ada", -1), await newToken("ada", 60, ["a#"]), "none", ""];
    for (const token of wrong) {
      const client = await run.open();
      client.send(connectWith(token));
      await client.expectRefused(ReasonCode.notAuthorized);
    }
    const named = await run.open();
    named.send(connectWith(await newToken("ada", 60), { userName: "root" }));
    await named.expectRefused(ReasonCode.notAuthorized);

    for (const token of [...wrong, await newToken("root", 60)]) {
      const client = await run.open();
      client.send(connectWith(await newToken("ada", 60)));
      await client.expectPacket(PacketType.connack);
      client.send(renewal(token));
      const end = await client.expectPacket(PacketType.disconnect);
      assert.equal(end.reasonCode, ReasonCode.notAuthorized);
    }
  },
);

conformanceTest(
  "a token as the password lets in every version, and the connection ends with it",
  { versions: everyVersion, broker },
  async (run) => {
    const password = Buffer.from(await newToken("ada", 60));
    const client = await run.connect({ userName: "ada", password });
    client.send(publishPacket("a/b", "x", { qos: 1, packetIdentifier: 1 }));
    await client.expectPacket(PacketType.puback);
    clock.advanceSeconds(60);
    await client.expectDisconnected(ReasonCode.maximumConnectTime);
  },
);
