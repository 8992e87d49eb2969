/** Clients with a keep alive of a second that ping in time, for as long as they are let. */
import { once } from "node:events";
import { connect } from "node:net";
import { encodePacket, PacketType } from "../../src/codec/index.ts";
import { connectPacket } from "../conformance/harness/index.ts";
import { subscribe } from "../conformance/packets.ts";

const [url = "", count = "0"] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const ping = encodePacket({ type: PacketType.pingreq }, 5);
for (let index = 0; index < Number(count); index++) {
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  const clientIdentifier = `vanishing-${index}`;
  socket.write(encodePacket(connectPacket(5, { clientIdentifier, keepAliveSeconds: 1 }), 5));
  socket.write(encodePacket(subscribe({ filter: "t", qos: 0 }), 5));
  await once(socket, "data");
  setInterval(() => socket.write(ping), 500);
}
process.send?.("connected");
