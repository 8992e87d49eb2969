/**
 * Clients that subscribe and unsubscribe as fast as they are acknowledged, each with one request under way: exact
 * filters and wildcards at the level of the stream's topic `bench/one`, and filters far from it; none of them matches
 * it. Says how many requests were acknowledged, as JSON, when its stdin ends:
 *
 *   node bench/clients/storm-client.ts URL CLIENTS
 */
import { encodePacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { encodeSubscribe, LoadClient } from "./load-client.ts";

const [address, clients] = process.argv.slice(2);
/** Filters that one client goes through, again and again. */
const filtersEach = 1000;

let acknowledged = 0;
let isRunning = true;

function filterOf(client: number, index: number): string {
  switch (index % 5) {
    case 0:
      return `bench/${client}-${index}`;
    case 1:
      return `bench/+/${client}-${index}`;
    case 2:
      return `bench/${client}-${index}/#`;
    case 3:
      return `site/${client}/device/${index}/command`;
    default:
      return `site/+/device/${client}-${index}/#`;
  }
}

function encodeUnsubscribe(packetIdentifier: number, filter: string): Buffer {
  return encodePacket(
    { type: PacketType.unsubscribe, packetIdentifier, filters: [filter], properties: {} },
    ProtocolVersion.v3_1_1,
  );
}

async function storm(number: number): Promise<void> {
  const client = await LoadClient.connect(new URL(address), `storm-${number}`);
  const requests = Array.from({ length: filtersEach }, (_, index) => {
    const filter = filterOf(number, index);
    return [encodeSubscribe(1, [filter]), encodeUnsubscribe(2, filter)];
  }).flat();
  for (let next = 0; isRunning; next = (next + 1) % requests.length) {
    await client.request(requests[next]);
    acknowledged++;
  }
  client.close();
}

const storms = Array.from({ length: Number(clients) }, (_, number) => storm(number));
const started = performance.now();
for await (const _ of process.stdin);
isRunning = false;
const seconds = (performance.now() - started) / 1000;
await Promise.all(storms);
console.log(JSON.stringify({ operationsPerSecond: acknowledged / seconds }));
