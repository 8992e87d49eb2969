/** All vectors of whole packets, for the tests of the codec. */
import { acknowledgementVectors } from "./acknowledgement.ts";
import { connackVectors } from "./connack.ts";
import { connectVectors } from "./connect.ts";
import { fixedHeaderVectors } from "./fixed-header.ts";
import { publishVectors } from "./publish.ts";
import { sessionEndVectors } from "./session-end.ts";
import { subscribeVectors } from "./subscribe.ts";
import { unsubscribeVectors } from "./unsubscribe.ts";
import type { Vector } from "./vector.ts";

export {
  type Place,
  type PropertyVector,
  places,
  propertyVectors,
  unknownProperties,
} from "./property.ts";
export { type DecodedVector, parseBytes, type Vector, versionNames } from "./vector.ts";

/** By the packet they are about, so that the tests' names say it. */
export const vectors: Readonly<Record<string, readonly Vector[]>> = {
  "fixed header": fixedHeaderVectors,
  CONNECT: connectVectors,
  CONNACK: connackVectors,
  PUBLISH: publishVectors,
  acknowledgements: acknowledgementVectors,
  subscribing: subscribeVectors,
  unsubscribing: unsubscribeVectors,
  "end of session": sessionEndVectors,
};
