export { ByteReader, ByteWriter, decodeUtf8 } from "./bytes.ts";
export { toConnackFailure } from "./connack.ts";
export { findProtocolVersion, UnsupportedVersionError } from "./connect.ts";
export { decodePacket, decodePacketBody } from "./decode.ts";
export { toDisconnectFailure } from "./disconnect.ts";
export { encodePacket, encodeWithin } from "./encode.ts";
export { FrameReader, type FrameSink } from "./frame-reader.ts";
export * from "./packets.ts";
export { readProperties, writeProperties } from "./properties.ts";
export {
  type LocatedFrame,
  locateFrame,
  type MessageParts,
  type PublishHeader,
  type PublishVariant,
  publishBytes,
  scanPublish,
  writePublish,
} from "./publish-frame.ts";
export {
  newPublishPropertyOffsets,
  topicAliasPropertyBytes,
} from "./publish-properties.ts";
