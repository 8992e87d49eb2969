/**
 * A broker in a process of its own, so that its memory is its own: it says where it listens, and answers every message
 * of its parent with its resident bytes.
 */
import { type BrokerOptions, createBroker } from "../../src/index.ts";

const limits = JSON.parse(process.argv[2] ?? "{}") as BrokerOptions["limits"];
const broker = createBroker({ limits, sysTopicsSeconds: 1 });
const tcp = await broker.listen("mqtt://127.0.0.1:0");
const websocket = await broker.listen("ws://127.0.0.1:0/mqtt");
process.send?.({ tcp: tcp.url, websocket: websocket.url });
process.on("message", () => process.send?.(process.memoryUsage.rss()));
process.on("disconnect", () => process.exit());
