/**
 * The members of one shared subscription, served in turn. Between two turns of a member that stays and is available,
 * every other member that stays and is available has exactly one turn, however many come and go meanwhile.
 */
export class SharedGroup<Member> {
  /** Members in the order they came; undefined where one has left. */
  #seats: (Member | undefined)[] = [];
  readonly #seatOf = new Map<Member, number>();
  /** The seat whose turn is next. */
  #turn = 0;

  get size(): number {
    return this.#seatOf.size;
  }

  /** Adding a member that is there changes nothing. */
  add(member: Member): void {
    if (this.#seatOf.has(member)) return;
    this.#seatOf.set(member, this.#seats.length);
    this.#seats.push(member);
  }

  /** False when the member was not there. */
  remove(member: Member): boolean {
    const seat = this.#seatOf.get(member);
    if (seat === undefined) return false;
    this.#seatOf.delete(member);
    this.#seats[seat] = undefined;
    if (this.#seats.length > 2 * this.#seatOf.size) this.#closeRanks();
    return true;
  }

  /** In the order they came. */
  members(): IterableIterator<Member> {
    return this.#seatOf.keys();
  }

  /** The next member in turn that `isAvailable` accepts; undefined when it accepts none. */
  next(isAvailable: (member: Member) => boolean): Member | undefined {
    const count = this.#seats.length;
    for (let step = 0; step < count; step++) {
      const seat = (this.#turn + step) % count;
      const member = this.#seats[seat];
      if (member === undefined || !isAvailable(member)) continue;
      this.#turn = (seat + 1) % count;
      return member;
    }
    return undefined;
  }

  /** Gives up the empty seats; the order and whose turn it is stay. */
  #closeRanks(): void {
    const seats: Member[] = [];
    let turn = 0;
    for (const [seat, member] of this.#seats.entries()) {
      if (member === undefined) continue;
      if (seat < this.#turn) turn++;
      this.#seatOf.set(member, seats.length);
      seats.push(member);
    }
    this.#seats = seats;
    this.#turn = seats.length === 0 ? 0 : turn % seats.length;
  }
}
