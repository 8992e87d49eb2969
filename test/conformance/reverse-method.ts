/** A method of enhanced authentication with one challenge, and the packets that a client of it sends (5.0, section 4.12). */
import assert from "node:assert/strict";
import { type AuthPacket, type ConnectPacket, PacketType } from "../../src/codec/index.ts";
import {
  type AuthenticationRequest,
  type AuthenticationStep,
  type BrokerOptions,
  type EnhancedAuthenticator,
  ReasonCode,
} from "../../src/index.ts";
import { connectPacket, type RawClient, type World } from "./harness/index.ts";

export const method = "REVERSE";
const allowed = { outcome: "success", userName: "ann", rule: "test" } as const;
const refused = { outcome: "failure", reasonCode: ReasonCode.notAuthorized, rule: "test" } as const;

/** "refuse with 0x86" is refused with that code, whatever packets have it. */
const refusalCodes = new Map(
  Object.values(ReasonCode).map((code) => [`refuse with 0x${code.toString(16)}`, code]),
);

/** "challenge" asks for its letters in reverse; "welcome" lets in at once, "later" after a moment; the rest is refused. */
function answer(data: string, isChallenged: boolean): AuthenticationStep {
  if (isChallenged)
    return data === "egnellahc" ? { ...allowed, data: Buffer.from("fine") } : refused;
  if (data === "as bob") return { ...allowed, userName: "bob", data: undefined };
  if (data === "challenge") return { outcome: "continue", data: Buffer.from("challenge") };
  const code = refusalCodes.get(data);
  if (code !== undefined) return { ...refused, reasonCode: code };
  return data === "welcome" || data === "later" ? { ...allowed, data: undefined } : refused;
}

const reverse: EnhancedAuthenticator = {
  method,
  begin(_request: AuthenticationRequest) {
    let isChallenged = false;
    return {
      next(bytes) {
        const data = Buffer.from(bytes ?? "").toString();
        if (data === "throw") throw new Error("broken");
        const step = answer(data, isChallenged);
        isChallenged = true;
        return data === "later" ? Promise.resolve(step) : step;
      },
    };
  },
};

export const broker: BrokerOptions = { enhancedAuthenticators: [reverse] };

export function connectWith(
  data: string | undefined,
  fields: Partial<ConnectPacket> = {},
): ConnectPacket {
  const authenticationData = data === undefined ? {} : { authenticationData: Buffer.from(data) };
  return connectPacket(5, {
    ...fields,
    properties: { authenticationMethod: method, ...authenticationData, ...fields.properties },
  });
}

export function auth(
  reasonCode: AuthPacket["reasonCode"],
  data: string,
  name = method,
): AuthPacket {
  return {
    type: PacketType.auth,
    reasonCode,
    properties: { authenticationMethod: name, authenticationData: Buffer.from(data) },
  };
}

export const goOn = ReasonCode.continueAuthentication;
export const anew = ReasonCode.reAuthenticate;

export async function expectAuth(
  client: RawClient,
  reasonCode: number,
  data?: string,
): Promise<void> {
  const packet = await client.expectPacket(PacketType.auth);
  assert.equal(packet.reasonCode, reasonCode);
  assert.equal(packet.properties.authenticationMethod, method); // [MQTT-4.12.0-5]
  const { authenticationData } = packet.properties;
  assert.equal(authenticationData && Buffer.from(authenticationData).toString(), data);
}

/** A client that was let in by a challenge. */
export async function authenticated(world: World): Promise<RawClient> {
  const client = await world.open();
  client.send(connectWith("welcome"));
  await client.expectPacket(PacketType.connack);
  return client;
}
