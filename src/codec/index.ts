export { decodeUtf8, isWellFormedUtf8 } from "./bytes.ts";
export { findProtocolVersion, UnsupportedVersionError } from "./connect.ts";
export { decodePacket, decodePacketBody } from "./decode.ts";
export { encodePacket, encodeWithin } from "./encode.ts";
export * from "./packets.ts";
export {
  newPublishPropertyOffsets,
  type PublishPropertyOffsets,
  skipPublishProperties,
  topicAliasPropertyBytes,
} from "./publish-properties.ts";
