/**
 * The lines of an export: one record each, in the words of the storage port. A record that names another one comes after
 * it: subscriptions after their session, a place in a queue after its message, so that a file can be read in one go.
 * Times are left out where they never come; `for` only tells people whose queue it is.
 */
import { z } from "zod";
import { messageFields, qosShape } from "./message-record.ts";
import { timeShape } from "./record-values.ts";

/** Of the form of the records: a change that older programs would misread counts it up. */
export const exportFormat = 1;

const numberShape = z.int().min(1);
const packetIdentifierShape = z.int().min(0).max(65_535);

export const recordShape = z.discriminatedUnion("kind", [
  /** The first line. */
  z.strictObject({
    kind: z.literal("tstack"),
    format: z.literal(exportFormat, "another form than this tstack reads"),
    version: z.string(),
    at: timeShape,
  }),
  z.strictObject({
    kind: z.literal("session"),
    queue: numberShape,
    clientIdentifier: z.string(),
    userName: z.string().optional(),
    isV5: z.boolean(),
    expirySeconds: z.number().min(0),
    expiresAt: timeShape,
    isConnected: z.boolean(),
    will: z
      .strictObject({
        delaySeconds: z.number().min(0),
        publishAt: timeShape,
        message: z.strictObject(messageFields),
      })
      .optional(),
  }),
  z.strictObject({
    kind: z.literal("subscription"),
    queue: numberShape,
    filter: z.string().min(1),
    qos: qosShape,
    noLocal: z.boolean(),
    retainAsPublished: z.boolean(),
    retainHandling: qosShape,
    identifier: z.int().min(0).max(268_435_455),
  }),
  /** A QoS 2 packet identifier that came from the client and is not released yet. */
  z.strictObject({
    kind: z.literal("received"),
    queue: numberShape,
    packetIdentifier: packetIdentifierShape,
  }),
  z.strictObject({
    kind: z.literal("shared"),
    queue: numberShape,
    group: z.string().min(1),
    filter: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal("retained"), ...messageFields }),
  z.strictObject({ kind: z.literal("message"), message: numberShape, ...messageFields }),
  /** A place in a queue; without a message it is a PUBREL. */
  z.strictObject({
    kind: z.literal("queued"),
    queue: numberShape,
    for: z.string().optional(),
    position: z.int(),
    message: numberShape.optional(),
    qos: qosShape,
    retain: z.boolean(),
    subscriptionIdentifiers: z.array(z.int()).optional(),
    packetIdentifier: packetIdentifierShape.optional(),
    bytes: z.int().min(0),
    expiresAt: timeShape,
  }),
  /** A user, a role or the like, as `of` says; its value is a text of JSON. */
  z.strictObject({
    kind: z.literal("record"),
    of: z.string(),
    name: z.string(),
    value: z.string(),
  }),
  /** The last line: a file that was cut off has none. */
  z.strictObject({ kind: z.literal("end"), records: z.int() }),
]);

export type ExportRecord = z.output<typeof recordShape>;
export type RecordOf<Kind extends ExportRecord["kind"]> = Extract<ExportRecord, { kind: Kind }>;
