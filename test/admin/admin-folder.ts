/** A broker's folder with the real store and the real API on its socket, and raw HTTP to that. */
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type AdminListener,
  type Bans,
  createAdminApi,
  listenAdmin,
  type RunningBroker,
  type Users,
} from "../../src/admin/index.ts";
import {
  hashPassword,
  makeScramKeys,
  Registrations,
  UserAdministration,
  UserDirectory,
} from "../../src/auth/index.ts";
import { type Log, systemClock } from "../../src/base/index.ts";
import { openRecords } from "../../src/storage/index.ts";

interface Parts {
  readonly bans?: Bans;
  readonly broker?: RunningBroker;
  /** Stands before the real users, so that the world can misbehave. */
  readonly wrap?: (users: Users) => Users;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class AdminFolder {
  readonly path: string;
  readonly listener: AdminListener;
  /** What was logged, as it stands in the file: fields and words. */
  readonly logged: readonly string[];
  readonly #end: () => Promise<void>;

  private constructor(
    path: string,
    listener: AdminListener,
    log: string[],
    end: () => Promise<void>,
  ) {
    this.path = path;
    this.listener = listener;
    this.logged = log;
    this.#end = end;
  }

  static async open({ bans, broker, wrap = (users) => users }: Parts = {}): Promise<AdminFolder> {
    const path = await mkdtemp(join(tmpdir(), "tstack-admin-"));
    const records = await openRecords(path, "a test");
    const stored = await records.readRecords();
    const directory = new UserDirectory({ configured: [], records: stored });
    const clock = systemClock;
    const users = new UserAdministration(directory, records, {
      clock,
      hashPassword,
      makeScramKeys,
    });
    const registrations = new Registrations({ users, records, stored, clock });
    const logged: string[] = [];
    const note = (fields: object, message: string) => {
      logged.push(`${JSON.stringify(fields, describeErrors)} ${message}`);
    };
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const api = await createAdminApi({
      users: wrap(users),
      registrations,
      bans,
      broker,
      version: "1.2.3",
      log,
    });
    const listener = await listenAdmin(api, path);
    return new AdminFolder(path, listener, logged, async () => {
      await listener.close();
      await records.close();
      await rm(path, { recursive: true });
    });
  }

  close(): Promise<void> {
    return this.#end();
  }

  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.askRaw(method, path, body === undefined ? undefined : JSON.stringify(body));
  }

  async askRaw(
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
  ): Promise<Answer> {
    const answered = Promise.withResolvers<IncomingMessage>();
    const options = { socketPath: this.listener.path, method, path, agent: false };
    const asked = request(
      { ...options, headers: body === undefined ? {} : headers },
      answered.resolve,
    );
    asked.on("error", answered.reject);
    asked.end(body);
    const answer = await answered.promise;
    const content = await text(answer);
    return {
      status: answer.statusCode ?? 0,
      body: content === "" ? undefined : JSON.parse(content),
    };
  }

  /** A connection of one's own. */
  connect(): Socket {
    return connect(this.listener.path);
  }
}

function describeErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.stack}` : value;
}
