/**
 * The records of an export as batches of changes for a storage engine. A batch ends only where a message has all of its
 * places, as the engine asks. What does not fit together is said with its line, before anything of its batch is kept.
 */
import type { StorageChange, StoredRecord, StoredRow, StoredWill } from "../../broker/index.ts";
import { readMessageRecord } from "./message-record.ts";
import { readTime } from "./record-values.ts";
import { type ExportRecord, type RecordOf, recordShape } from "./records.ts";

const batchChangesMax = 2000;
const batchBytesMax = 8_388_608;

/** A mistake in one line of the file. */
export class RecordError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = "RecordError";
    this.line = line;
  }
}

/** Takes the lines one after the other; `take` answers a batch whenever one is full. */
export class ImportReader {
  #batch: StorageChange[] = [];
  #bytes = 0;
  #line = 0;
  #isEnded = false;
  readonly #records: StoredRecord[] = [];
  /** The positions that are taken in each. */
  readonly #queues = new Map<number, Set<number>>();
  readonly #names = new Set<string>();
  readonly #messages = new Set<number>();
  /** The message whose places are being read. */
  #message: { number: number; at: number; references: number } | undefined;

  /** @throws RecordError */
  take(text: string): readonly StorageChange[] | undefined {
    this.#line++;
    const record = this.#parse(text);
    const isFirst = this.#line === 1;
    if (isFirst !== (record.kind === "tstack")) {
      this.#fail(isFirst ? "this is no export of tstack" : "a second first line");
    }
    if (this.#isEnded) this.#fail("there is more behind the last record");
    const isPlace = record.kind === "queued" && record.message !== undefined;
    const isFull = this.#batch.length >= batchChangesMax || this.#bytes >= batchBytesMax;
    const batch = isFull && !isPlace ? this.#close() : undefined;
    this.#add(record);
    return batch;
  }

  /** The rest. @throws RecordError when the last record is not there */
  end(): readonly StorageChange[] {
    if (!this.#isEnded) this.#fail("the file ends here, without its last record: it was cut off");
    return this.#close();
  }

  /** Users and their like, which are no part of batches: complete after `end`. */
  get records(): readonly StoredRecord[] {
    return this.#records;
  }

  #parse(text: string): ExportRecord {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#fail(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    const parsed = recordShape.safeParse(value);
    if (parsed.success) return parsed.data;
    const [{ path, message }] = parsed.error.issues;
    return this.#fail(path.length === 0 ? message : `${path.join(".")}: ${message}`);
  }

  #fail(message: string): never {
    throw new RecordError(this.#line, message);
  }

  #close(): StorageChange[] {
    this.#closeMessage();
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    return batch;
  }

  #add(record: ExportRecord): void {
    if (record.kind !== "queued") this.#closeMessage();
    switch (record.kind) {
      case "tstack":
        break;
      case "session":
        this.#addSession(record);
        break;
      case "subscription": {
        const { kind, queue, ...subscription } = record;
        this.#expectQueue(queue);
        this.#batch.push({ kind: "subscribed", queue, subscription });
        break;
      }
      case "received":
        this.#expectQueue(record.queue);
        this.#batch.push(record);
        break;
      case "shared":
        this.#claim(record.queue, `shared subscription ${record.group}/${record.filter}`);
        this.#batch.push(record);
        break;
      case "retained":
        this.#addRetained(record);
        break;
      case "message":
        this.#addMessage(record);
        break;
      case "queued":
        this.#addRow(record);
        break;
      case "record": {
        const { of, name, value } = record;
        if (this.#names.has(recordName(record)))
          this.#fail(`a second ${of} ${JSON.stringify(name)}`);
        this.#names.add(recordName(record));
        this.#records.push({ kind: of, name, value });
        break;
      }
      case "end":
        if (record.records !== this.#line - 1) {
          this.#fail(`says that ${record.records} records come before it, not ${this.#line - 1}`);
        }
        this.#isEnded = true;
    }
  }

  #addSession({ kind, userName, will, ...record }: RecordOf<"session">): void {
    this.#claim(record.queue, `session ${JSON.stringify(record.clientIdentifier)}`);
    const stored: StoredWill | undefined = will && {
      delaySeconds: will.delaySeconds,
      publishAt: readTime(will.publishAt),
      message: this.#readMessage(will.message),
    };
    const session = { ...record, userName, expiresAt: readTime(record.expiresAt), will: stored };
    this.#batch.push({ kind, session });
  }

  #addRetained(record: RecordOf<"retained">): void {
    const content = this.#readMessage(record);
    const topic = Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.topicEnd);
    this.#batch.push({ kind: "retained", topic: topic.toString(), content });
  }

  #addMessage(record: RecordOf<"message">): void {
    const number = record.message;
    if (this.#messages.has(number)) this.#fail(`a second message ${number}`);
    this.#messages.add(number);
    const content = this.#readMessage(record);
    this.#message = { number, at: this.#batch.length, references: 0 };
    this.#batch.push({ kind: "message", message: number, references: 0, content });
  }

  #addRow(record: RecordOf<"queued">): void {
    const positions = this.#expectQueue(record.queue);
    if (positions.has(record.position)) {
      this.#fail(`a second place ${record.position} in queue ${record.queue}`);
    }
    positions.add(record.position);
    const { message = 0, packetIdentifier = 0, subscriptionIdentifiers = [] } = record;
    if (message === 0) {
      if (packetIdentifier === 0) this.#fail("a PUBREL without a packet identifier");
      this.#closeMessage();
    } else if (this.#message?.number === message) {
      this.#message.references++;
    } else {
      this.#fail(`message ${message} must come right before its places in queues`);
    }
    const { queue, position, qos, retain, bytes } = record;
    const row: StoredRow = {
      queue,
      position,
      message,
      qos,
      retain,
      subscriptionIdentifiers,
      packetIdentifier,
      bytes,
      expiresAt: readTime(record.expiresAt),
    };
    this.#batch.push({ kind: "row", row });
  }

  /** Now it is known how many places its message has. One without a place would never be forgotten. */
  #closeMessage(): void {
    const message = this.#message;
    if (message === undefined) return;
    const change = this.#batch[message.at];
    if (change.kind !== "message" || message.references === 0) {
      this.#fail(`message ${message.number} is in no queue`);
    }
    this.#batch[message.at] = { ...change, references: message.references };
    this.#message = undefined;
  }

  #claim(queue: number, name: string): void {
    if (this.#queues.has(queue)) this.#fail(`a second queue ${queue}`);
    if (this.#names.has(name)) this.#fail(`a second ${name}`);
    this.#queues.set(queue, new Set());
    this.#names.add(name);
  }

  #expectQueue(queue: number): Set<number> {
    const positions = this.#queues.get(queue);
    return positions ?? this.#fail(`queue ${queue} belongs to no session before it`);
  }

  #readMessage(record: Parameters<typeof readMessageRecord>[0]) {
    try {
      const message = readMessageRecord(record);
      this.#bytes += message.bytes.length;
      return message;
    } catch (error) {
      return this.#fail(`properties: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function recordName({ of, name }: RecordOf<"record">): string {
  return `record ${JSON.stringify([of, name])}`;
}
