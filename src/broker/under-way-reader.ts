/**
 * After a restart, what was under way to a client is read when it comes back, not before: 100,000 sessions start in
 * seconds. Clients that come at the same time with one identifier wait for the same answer.
 */
import type { Session } from "./session.ts";
import type { Storage } from "./storage-port.ts";

export class UnderWayReader {
  readonly #storage: Storage;
  /** Sessions of before the restart that nobody has taken up yet. */
  readonly #unread = new Set<Session>();
  readonly #reading = new Map<Session, Promise<void>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  mayBeUnderWay(session: Session): void {
    this.#unread.add(session);
  }

  /** The session is over. */
  forget(session: Session): void {
    this.#unread.delete(session);
  }

  /** Rejects when the storage cannot tell; the next one asks again. */
  async readUnderWay(session: Session | undefined): Promise<void> {
    if (session === undefined || !this.#unread.has(session)) return;
    let reading = this.#reading.get(session);
    if (reading === undefined) {
      reading = this.#read(session).finally(() => this.#reading.delete(session));
      this.#reading.set(session, reading);
    }
    await reading;
  }

  async #read(session: Session): Promise<void> {
    const deliveries = await this.#storage.readUnderWay(session.stored);
    // It may have ended, or have been read, meanwhile.
    if (this.#unread.delete(session)) session.flights.restore(deliveries);
  }
}
