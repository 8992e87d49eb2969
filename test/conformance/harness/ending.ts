/** What a broken packet has to lead to: the end of its own connection, and of nothing else. */
import { ProtocolVersion } from "../../../src/codec/index.ts";
import { Bystander } from "./bystander.ts";
import type { Sendable } from "./raw-client.ts";
import type { World } from "./world.ts";

/** `bytes` on a connection that stands: DISCONNECT with `reasonCode` for 5.0, the end for all. */
export async function expectEnds(world: World, bytes: Sendable, reasonCode: number): Promise<void> {
  const bystander = await Bystander.start(world);
  const client = await world.connect();
  client.send(bytes);
  await client.expectDisconnected(reasonCode);
  await bystander.expectUndisturbed();
}

/** `bytes` as the first of a connection: CONNACK with `reasonCode` for 5.0, the end without a word for 3.x. */
export async function expectConnectRefused(
  world: World,
  bytes: Sendable,
  reasonCode: number,
): Promise<void> {
  const bystander = await Bystander.start(world);
  const client = await world.open();
  client.send(bytes);
  if (world.version === ProtocolVersion.v5) await client.expectRefused(reasonCode);
  else await client.expectClosed();
  await bystander.expectUndisturbed();
}
