/**
 * A broker inside your own program: it takes the temperatures that sensors publish, and answers each room with a
 * retained command for its heating. Run it, then in two other terminals:
 *
 *     tsubscribe -t 'home/+/heating' -v
 *     tpublish -t home/kitchen/temperature -m 17.5
 */
// In your program: import { createBroker } from "tstack";
import { createBroker } from "../../src/index.ts";

const wantedCelsius = 20;

const broker = createBroker();
broker.on("connect", ({ client }) => console.log(`${client.clientIdentifier} is here`));
broker.on("disconnect", ({ client, ending }) => {
  console.log(`${client.clientIdentifier} is gone: ${ending.why}`);
});
broker.subscribe("home/+/temperature", ({ topic, payload }) => {
  const room = topic.split("/")[1];
  const celsius = Number(Buffer.from(payload).toString());
  if (Number.isNaN(celsius)) return;
  const command = celsius < wantedCelsius ? "on" : "off";
  broker.publish(`home/${room}/heating`, command, { qos: 1, retain: true });
});

const { url } = await broker.listen(process.argv[2] ?? "mqtt://127.0.0.1:1883");
console.log(`listening on ${url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    broker.close().then(
      () => console.log("closed"),
      (error: unknown) => console.error(error),
    );
  });
}
