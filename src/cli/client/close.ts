/**
 * The clean end of a connection: everything written leaves, DISCONNECT after it, and the broker closes.
 * A socket that is destroyed with unread bytes resets the connection, and the broker may then publish
 * the will: so the rest is read and thrown away, without acknowledging it.
 */
import type { Duplex } from "node:stream";
import type { IDisconnectPacket, MqttClient } from "mqtt";

const flushMilliseconds = 30_000;
const farewellMilliseconds = 2_000;

/** Returns whether all that was written has left this process. */
export async function closeGracefully(
  client: MqttClient,
  online: boolean,
  properties: IDisconnectPacket["properties"],
): Promise<boolean> {
  if (!online) {
    client.end(true);
    return true;
  }
  const stream = client.stream as Duplex;
  stream.unpipe();
  stream.resume();
  // `end` would wait for their acknowledgements, which nobody reads any more.
  client.outgoing = {};
  const closed = nextEvent(stream, "close");
  const flushed = Promise.race([nextEvent(stream, "finish"), closed]);
  client.end(false, properties === undefined ? {} : { reasonCode: 0, properties });
  await within(flushed, flushMilliseconds);
  await within(closed, farewellMilliseconds);
  stream.destroy();
  return stream.writableFinished;
}

function nextEvent(stream: Duplex, name: "close" | "finish"): Promise<void> {
  return new Promise((resolve) => {
    stream.once(name, () => resolve());
  });
}

async function within(event: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([event, promise]);
  clearTimeout(timer);
}
