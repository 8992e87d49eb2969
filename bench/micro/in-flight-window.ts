/**
 * `InFlightWindow` with 100 messages under way: an identifier taken and released for QoS 1, with the PUBREC of QoS 2.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 9.3 and 11.5 ns a message.
 */
import { FlightState, InFlightWindow } from "../../src/broker/in-flight-window.ts";
import { measureTasks } from "./stopwatch.ts";

const operations = 1000;
const underWay = 100;

function fill(state: FlightState): { window: InFlightWindow; identifiers: number[] } {
  const window = new InFlightWindow();
  const identifiers = Array.from({ length: underWay }, () => window.take(state, undefined));
  return { window, identifiers };
}

const one = fill(FlightState.awaitingPuback);
const two = fill(FlightState.awaitingPubrec);

await measureTasks(import.meta.filename, [
  {
    name: "QoS 1: take and release",
    unit: "message",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) {
        const place = i % underWay;
        one.window.release(one.identifiers[place]);
        one.identifiers[place] = one.window.take(FlightState.awaitingPuback, undefined);
      }
    },
  },
  {
    name: "QoS 2: take, PUBREC and release",
    unit: "message",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) {
        const place = i % underWay;
        two.window.awaitPubcomp(two.identifiers[place]);
        two.window.release(two.identifiers[place]);
        two.identifiers[place] = two.window.take(FlightState.awaitingPubrec, undefined);
      }
    },
  },
]);
