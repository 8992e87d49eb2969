/**
 * Looks up the broker's host once for thousands of connections. Once the first is there, the others go
 * straight to its address: `localhost` may have two, of which the broker listens on one.
 */
import { type LookupAddress, lookup } from "node:dns";
import { isIPv6, type LookupFunction } from "node:net";

export class AddressBook {
  #known: readonly LookupAddress[] | undefined;

  readonly lookup: LookupFunction = (host, options, answer) => {
    const known = this.#known;
    if (known !== undefined) {
      queueMicrotask(() => {
        if (options.all) answer(null, [...known]);
        else answer(null, known[0].address, known[0].family);
      });
      return;
    }
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        answer(error, "");
        return;
      }
      this.#known ??= addresses;
      this.lookup(host, options, answer);
    });
  };

  /** The address that answered. */
  settle(address: string): void {
    this.#known = [{ address, family: isIPv6(address) ? 6 : 4 }];
  }
}
