/**
 * Time that stands still between events: what is to happen happens in order of its moment, and what has the same moment
 * in the order in which it was arranged. Nothing else moves the world, so that a seed is always the same history.
 */

interface TimelineEvent {
  readonly at: number;
  /** What people read in the history; undefined for what is not worth a line. */
  readonly title: string | undefined;
  readonly run: () => void;
  /** Deadlines far away, which do not keep the world busy. */
  readonly isBackground: boolean;
}

export class Timeline {
  now = Date.UTC(2026, 0, 1);
  readonly start = this.now;
  /** By moment, the next one last. */
  readonly #events: TimelineEvent[] = [];
  #background = 0;

  /** Events that are no mere deadlines. */
  get busy(): number {
    return this.#events.length - this.#background;
  }

  /** The function that is answered calls it off. */
  after(
    milliseconds: number,
    run: () => void,
    { title, isBackground = false }: { title?: string; isBackground?: boolean } = {},
  ): () => void {
    const at = this.now + Math.max(0, Math.ceil(milliseconds));
    const event: TimelineEvent = { at, title, run, isBackground };
    let place = this.#events.length;
    while (place > 0 && this.#events[place - 1].at <= at) place--;
    this.#events.splice(place, 0, event);
    if (isBackground) this.#background++;
    return () => {
      const found = this.#events.indexOf(event);
      if (found < 0) return;
      this.#events.splice(found, 1);
      if (isBackground) this.#background--;
    };
  }

  /** Goes to the next event, no further than `until`, and takes it; undefined when there is none. */
  take(until = Number.POSITIVE_INFINITY): TimelineEvent | undefined {
    const event = this.#events.at(-1);
    if (event === undefined || event.at > until) return undefined;
    this.#events.pop();
    if (event.isBackground) this.#background--;
    this.now = event.at;
    return event;
  }
}
