export { Bystander } from "./bystander.ts";
export { type TransportName, transports } from "./byte-stream.ts";
export {
  conformanceTest,
  everyVersion,
  onlyV3,
  onlyV3_1_1,
  onlyV5,
} from "./conformance-test.ts";
export {
  type ConnectFields,
  connectBytes,
  field,
  packetBytes,
  propertyBytes,
} from "./connect-bytes.ts";
export { expectConnectRefused, expectEnds } from "./ending.ts";
export { connectPacket, publishPacket, subscribePacket } from "./packets.ts";
export { fromHexadecimal, RawClient, type Sendable } from "./raw-client.ts";
export { frameBytes, Opcode, RawWebSocket } from "./raw-websocket.ts";
export { VirtualClock } from "./virtual-clock.ts";
export { World } from "./world.ts";
