/**
 * An MQTT.js client as a process of its own, so that it can be frozen and killed.
 * Usage: node mqtt-js-process.ts URL OPTIONS-AS-JSON FILTER. Prints what happens to it, a line each.
 */
import mqtt from "mqtt";

const [url, options, filter] = process.argv.slice(2);
const client = mqtt.connect(url, { reconnectPeriod: 50, ...JSON.parse(options) });
client.on("connect", ({ sessionPresent }) => {
  client.subscribe(filter, { qos: 2 }, () => console.log(`connected ${sessionPresent}`));
});
client.on("message", (topic, payload) => console.log(`message ${topic} ${payload}`));
client.on("disconnect", ({ reasonCode }) => console.log(`disconnect ${reasonCode}`));
client.on("close", () => console.log("close"));
client.on("error", (error) => console.log(`error ${error.message}`));
