/** The same stream over TCP and over WebSocket, by the same client: many packets in each write or message, and one. */
import { type RunningBroker, withBrokers } from "./brokers.ts";
import { startClient } from "./client-process.ts";
import type { Measured, StreamFigures } from "./results.ts";
import { measureRounds } from "./rounds.ts";
import { streamLabels } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

export async function measureWebSocket(settings: Settings): Promise<Measured<StreamFigures>> {
  return withBrokers(["tStack"], settings.folder, async (brokers) => {
    const contestants = [...brokers.values()].flatMap((broker) =>
      Object.entries(streamLabels).flatMap(([writing, labels]) =>
        (["tcp", "webSocket"] as const).map((transport) => ({
          label: labels[transport],
          measure: () => stream(settings, urlOf(broker, transport), [broker.pid, writing]),
        })),
      ),
    );
    return measureRounds(settings, contestants);
  });
}

function urlOf(broker: RunningBroker, transport: "tcp" | "webSocket"): string {
  return transport === "tcp"
    ? `mqtt://127.0.0.1:${broker.port}`
    : `ws://127.0.0.1:${broker.webSocketPort}/mqtt`;
}

async function stream(
  { seconds }: Settings,
  url: string,
  [pid, writing]: readonly [number, string],
): Promise<StreamFigures> {
  const client = startClient("stream-client", [url, String(pid), String(seconds), writing]);
  return JSON.parse(await client.output) as StreamFigures;
}
