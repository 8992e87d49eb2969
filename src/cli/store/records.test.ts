/** What an export writes and an import reads back is the same, whatever is in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  StorageChange,
  StoredMessage,
  StoredRecord,
  StoredRow,
  StoredSession,
  StoredSubscription,
} from "../../broker/index.ts";
import type { StoreContent } from "../../storage/index.ts";
import { writeRecords } from "./export-records.ts";
import { ImportReader, RecordError } from "./import-changes.ts";
import { readMessageRecord, writeMessageRecord } from "./message-record.ts";

const never = Number.POSITIVE_INFINITY;
const soon = Date.UTC(2026, 10, 23, 10, 0, 0, 123);

function messageOf(fields: Partial<StoredMessage> & { properties?: Buffer } = {}): StoredMessage {
  const { properties = Buffer.alloc(0), ...rest } = fields;
  const bytes = Buffer.concat([Buffer.from("a/ü"), properties, Buffer.from("payload")]);
  const topicEnd = 4;
  const propertiesEnd = topicEnd + properties.length;
  const ends = { topicEnd, propertiesEnd, expiryOffset: -1, expiresAt: never };
  return { bytes, ...ends, qos: 1, retain: false, publisher: "p", ...rest };
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
/** Content Type before Message Expiry Interval 10, correlation data that is no text, two user properties. */
const everyProperty = hex(
  "03 0001 78  02 0000000a  01 01  08 0003 722f74  09 0002 ff00  26 0001 61 0001 62  26 0001 61 0000",
);

const session = (queue: number, fields: Partial<StoredSession> = {}): StoredSession => {
  const own = { queue, clientIdentifier: `c${queue}`, isV5: true, expirySeconds: 0xffff_ffff };
  const rest = { userName: undefined, expiresAt: never, isConnected: false, will: undefined };
  return { ...own, ...rest, ...fields };
};
const subscription = (fields: Partial<StoredSubscription> = {}): StoredSubscription => {
  const options = { noLocal: true, retainAsPublished: false, retainHandling: 2 } as const;
  return { filter: "$share/g/a/#", qos: 2, ...options, identifier: 268_435_455, ...fields };
};
const row = (queue: number, position: number, fields: Partial<StoredRow> = {}): StoredRow => {
  const way = { message: 5, qos: 1, retain: true, packetIdentifier: 0 } as const;
  const own = { queue, position, ...way, subscriptionIdentifiers: [], bytes: 11 };
  return { ...own, expiresAt: never, ...fields };
};

const expiring = messageOf({ properties: everyProperty, expiryOffset: 9, expiresAt: soon });
const will = { message: messageOf({ retain: true }), delaySeconds: 30, publishAt: soon };

const everything: StoreContent = {
  sessions: [
    { session: session(1, { will, expiresAt: soon }), subscriptions: [], receivedIdentifiers: [] },
    {
      session: session(7, {
        isV5: false,
        isConnected: true,
        clientIdentifier: "",
        userName: "ada",
        expirySeconds: 0,
      }),
      subscriptions: [subscription(), subscription({ filter: "b", identifier: 0, noLocal: false })],
      receivedIdentifiers: [1, 65_535],
    },
  ],
  shared: [{ queue: 9, group: "g", filter: "a/#" }],
  retained: [messageOf({ retain: true }), expiring],
  messages: [
    {
      message: 5,
      content: expiring,
      rows: [row(1, -3), row(7, 4, { packetIdentifier: 9, expiresAt: soon, qos: 2 })],
    },
    {
      message: 6,
      content: messageOf({ publisher: "" }),
      rows: [row(9, 1, { message: 6, subscriptionIdentifiers: [1, 2] })],
    },
  ],
  releases: [row(7, 3, { message: 0, packetIdentifier: 12, bytes: 0 })],
  records: [
    { kind: "user", name: "ada", value: '{"rights": []}' },
    { kind: "user", name: "a\0/\u2028", value: "" },
    { kind: "role", name: "ada", value: "{}" },
  ],
};

function exportLines(content: StoreContent): string[] {
  const records = writeRecords(content, { version: "1.2.3", now: soon });
  return Array.from(records, (record) => JSON.stringify(record));
}

function importLines(lines: readonly string[]): {
  changes: StorageChange[];
  records: readonly StoredRecord[];
} {
  const reader = new ImportReader();
  const changes = lines.flatMap((line) => reader.take(line) ?? []);
  return { changes: [...changes, ...reader.end()], records: reader.records };
}

function changesOf(content: StoreContent): StorageChange[] {
  const sessions = [...content.sessions].flatMap((restored): StorageChange[] => {
    const { queue } = restored.session;
    return [
      { kind: "session", session: restored.session },
      ...restored.subscriptions.map((each) => {
        return { kind: "subscribed", queue, subscription: each } as const;
      }),
      ...restored.receivedIdentifiers.map((packetIdentifier) => {
        return { kind: "received", queue, packetIdentifier } as const;
      }),
    ];
  });
  const messages = [...content.messages].flatMap((each): StorageChange[] => {
    const rows = [...each.rows];
    const { message, content: stored } = each;
    return [
      { kind: "message", message, references: rows.length, content: stored },
      ...rows.map((row) => ({ kind: "row", row }) as const),
    ];
  });
  return [
    ...sessions,
    ...[...content.shared].map((shared) => ({ kind: "shared", ...shared }) as const),
    ...[...content.retained].map((content) => {
      return { kind: "retained", topic: "a/ü", content } as const;
    }),
    ...messages,
    ...[...content.releases].map((row) => ({ kind: "row", row }) as const),
  ];
}

test("what is read back is what was written, every field of it", () => {
  const { changes, records } = importLines(exportLines(everything));
  assert.deepEqual(changes, changesOf(everything));
  assert.deepEqual(records, everything.records);
});

test("the records are readable: text, names of properties, dates, whose queue it is", () => {
  const records = exportLines(everything).map((line) => JSON.parse(line));
  assert.deepEqual(records[0], {
    kind: "tstack",
    format: 1,
    version: "1.2.3",
    at: "2026-11-23T10:00:00.123Z",
  });
  const { topic, payload, properties, expiresAt } = records.find(({ kind }) => kind === "message");
  assert.deepEqual([topic, payload, expiresAt], ["a/ü", "payload", "2026-11-23T10:00:00.123Z"]);
  assert.deepEqual(properties, {
    contentType: "x",
    messageExpiryInterval: 10,
    payloadFormatIndicator: 1,
    responseTopic: "r/t",
    correlationData: { base64: "/wA=" },
    userProperties: [
      ["a", "b"],
      ["a", ""],
    ],
  });
  const owners = records.filter(({ kind }) => kind === "queued").map((record) => record.for);
  assert.deepEqual(owners, ["c1", "", "$share/g/a/#", ""]);
  assert.deepEqual(records.at(-1), { kind: "end", records: records.length - 1 });
});

test("any message comes back byte for byte, also one whose properties no name can hold", () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const named = fc.constantFrom(everyProperty, hex("26 0001 61 0001 62 01 00 26 0001 61 0000"));
  const message = fc.record({ properties: fc.oneof(bytes, named), payload: bytes, topic: bytes });
  fc.assert(
    fc.property(message, ({ topic, properties, payload }) => {
      const stored = {
        ...messageOf(),
        bytes: Buffer.concat([topic, properties, payload]),
        topicEnd: topic.length,
        propertiesEnd: topic.length + properties.length,
        expiryOffset: Buffer.from(properties).equals(everyProperty) ? topic.length + 5 : -1,
      };
      const record = JSON.parse(JSON.stringify(writeMessageRecord(stored)));
      assert.deepEqual(readMessageRecord(record), stored);
    }),
  );
});

test("many messages come in batches, each message with all of its places", () => {
  const messages = Array.from({ length: 5000 }, (_, index) => {
    const message = index + 1;
    const rows = [row(1, index + 10, { message }), row(7, index + 10, { message })];
    return { message, content: messageOf(), rows };
  });
  const reader = new ImportReader();
  const batches = exportLines({ ...everything, messages }).flatMap((line) => {
    const batch = reader.take(line);
    return batch === undefined ? [] : [batch];
  });
  batches.push(reader.end());
  assert.ok(batches.length > 5, `${batches.length} batches`);
  for (const batch of batches) {
    const known = new Set(
      batch.flatMap((change) => (change.kind === "message" ? change.message : [])),
    );
    for (const change of batch) {
      if (change.kind === "row" && change.row.message !== 0)
        assert.ok(known.has(change.row.message));
    }
  }
});

/** Each breaks the export of everything in one line. */
const mistakes: [name: string, breakIt: (lines: string[]) => string[], expected: RegExp][] = [
  ["no JSON", ([first, ...rest]) => [first, "{", ...rest], /^2: is not JSON/],
  ["cut off", (lines) => lines.slice(0, -1), /: the file ends here, without its last record/],
  ["nothing", () => [], /^0: the file ends here/],
  ["another file", () => ['{"a":1}'], /^1: kind: /],
  ["a line is gone", (lines) => lines.toSpliced(-2, 1), /says that \d+ records come before it/],
  ["no first line", (lines) => lines.slice(1), /^1: this is no export of tstack/],
  [
    "a later form",
    (lines) => [lines[0].replace('"format":1', '"format":2')],
    /^1: format: another/,
  ],
  ["more", (lines) => [...lines, lines[1]], /there is more behind the last record/],
  ["a second session", (lines) => lines.toSpliced(2, 0, lines[1]), /^3: a second queue 1/],
  [
    "a second place",
    (lines) => lines.flatMap((line) => (line.includes('"kind":"queued"') ? [line, line] : line)),
    /: a second place -?\d+ in queue \d+/,
  ],
  ["no session", (lines) => lines.toSpliced(2, 1), /queue 7 belongs to no session before it/],
  [
    "a second user",
    (lines) => lines.flatMap((line) => (line.includes('"of":"user"') ? [line, line] : line)),
    /: a second user "ada"/,
  ],
  ["a wrong type", (lines) => lines.map((line) => line.replace('"qos":2', '"qos":3')), /: qos: /],
  [
    "a wildcard in a response topic",
    (lines) => lines.map((line) => line.replace("r/t", "r/+")),
    /: properties: the response topic holds a wildcard/,
  ],
  [
    "an unknown property",
    (lines) => lines.map((line) => line.replace("contentType", "contentTyp")),
    /: properties: there is no property contentTyp/,
  ],
  [
    "a message in no queue",
    (lines) => lines.filter((line) => !line.includes('"kind":"queued"')),
    /message 5 is in no queue/,
  ],
  [
    "a place without its message",
    (lines) => lines.filter((line) => !line.includes('"kind":"message","message":5')),
    /message 5 must come right before its places/,
  ],
];

for (const [name, breakIt, expected] of mistakes) {
  test(`a mistake is told with its line: ${name}`, () => {
    assert.throws(
      () => importLines(breakIt(exportLines(everything))),
      (error) => error instanceof RecordError && expected.test(`${error.line}: ${error.message}`),
    );
  });
}
