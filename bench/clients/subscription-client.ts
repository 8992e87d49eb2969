/**
 * Clients with many filters each, out of the million of `filters.ts`. Prints a line when all are granted, and leaves
 * when its stdin ends:
 *
 *   node bench/clients/subscription-client.ts URL CLIENTS FILTERS_EACH
 */
import { filterOf } from "../filters.ts";
import { checkSuback, encodeSubscribe, LoadClient } from "./load-client.ts";

const [address, clients, filtersEach] = process.argv.slice(2);
const filtersAtOnce = 100;

async function subscribe(client: LoadClient, number: number): Promise<void> {
  for (let first = 0; first < Number(filtersEach); first += filtersAtOnce) {
    const filters = Array.from({ length: filtersAtOnce }, (_, index) =>
      filterOf(number * Number(filtersEach) + first + index),
    );
    checkSuback(await client.request(encodeSubscribe(1, filters)));
  }
}

const all: LoadClient[] = [];
for (let number = 0; number < Number(clients); number++) {
  all.push(await LoadClient.connect(new URL(address), `subscriptions-${number}`));
}
await Promise.all(all.map(subscribe));
console.log("granted");
for await (const _ of process.stdin);
for (const client of all) client.close();
