/** The results as people read them: one line for each thing that was measured. */
import type { Percentiles } from "./latency-record.ts";
import type { Results } from "./results.ts";

/** From here on the tool may be what limits the rate. */
const busyPercent = 90;

export function describeResults(results: Results): string {
  const { connections, sent, received, seconds, qos, payloadBytes } = results;
  const about = [
    `MQTT ${results.protocolVersion}`,
    ...(qos === undefined ? [] : [`QoS ${qos}`]),
    ...(payloadBytes === undefined ? [] : [`${payloadBytes} bytes of payload`]),
  ];
  const lines = [
    `tbench ${results.command}: ${results.broker}, ${about.join(", ")}`,
    line(
      "ended",
      seconds === undefined ? results.ended : `${results.ended}, after ${seconds} s of messages`,
    ),
    line(
      "connections",
      `${count(connections.opened)} of ${count(connections.asked)} opened in ${connections.openSeconds} s (${count(connections.openedPerSecond)}/s), ` +
        `${count(connections.failed)} failed, ${count(connections.lost)} lost`,
    ),
    ...Object.entries(connections.reasons).map(([reason, times]) =>
      line("", `${times === 1 ? "once" : `${count(times)} times`}: ${reason}`),
    ),
    ...describePercentiles("open", connections.openMilliseconds),
  ];
  if (sent !== undefined) lines.push(...describeSent(sent));
  if (received !== undefined) lines.push(...describeReceived(received));
  // At a rate it asks for the time again and again, and is busy without being behind.
  const isBusy = results.toolCpuPercent >= busyPercent && sent?.askedPerSecond === undefined;
  const busy = isBusy ? ": tbench itself may be what limits the rate" : "";
  lines.push(line("tbench's CPU", `${results.toolCpuPercent} % of a core${busy}`));
  return `${lines.join("\n")}\n`;
}

function describeSent(sent: NonNullable<Results["sent"]>): string[] {
  const asked =
    sent.askedPerSecond === undefined ? "" : ` of ${count(sent.askedPerSecond)}/s asked`;
  const rate = `${count(sent.messagesPerSecond)}/s${asked}, ${megabytes(sent.bytesPerSecond)}`;
  const refused = sent.refused ? `, ${count(sent.refused)} refused` : "";
  return [
    line("sent", `${count(sent.messages)} messages, ${rate}${refused}`),
    ...describePercentiles("acknowledged", sent.acknowledgementMilliseconds),
  ];
}

function describeReceived(received: NonNullable<Results["received"]>): string[] {
  const { messages, lost, duplicates, outOfOrder, unmarked, foreign, retained } = received;
  const rate = `${count(received.messagesPerSecond)}/s, ${megabytes(received.bytesPerSecond)}`;
  const faults = [
    `${count(lost)} lost`,
    `${count(duplicates)} duplicates`,
    outOfOrder === undefined ? "order not checked" : `${count(outOfOrder)} out of order`,
    ...(unmarked > 0 ? [`${count(unmarked)} without tbench's mark, not checked`] : []),
    ...(foreign > 0 ? [`${count(foreign)} of other runs`] : []),
    ...(retained > 0 ? [`${count(retained)} retained before`] : []),
  ];
  return [
    line("received", `${count(messages)} messages, ${rate}`),
    line("", faults.join(", ")),
    ...(received.latencyMilliseconds === undefined && messages > unmarked + foreign + retained
      ? [
          line(
            "latency",
            "not known: the publishers are on another machine, with a clock of its own",
          ),
        ]
      : describePercentiles("latency", received.latencyMilliseconds)),
  ];
}

function describePercentiles(name: string, values: Percentiles | undefined): string[] {
  if (values === undefined) return [];
  const { p50, p90, p99, p999, max } = values;
  return [
    line(
      name,
      `p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)} ms`,
    ),
  ];
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(14)}${text}`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** `1 message`, `2 messages`. */
export function countOf(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? "" : "s"}`;
}

function megabytes(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(bytesPerSecond < 1e7 ? 2 : 0)} MB/s`;
}

/** To three digits. */
export function ms(milliseconds: number): string {
  return milliseconds < 10
    ? milliseconds.toFixed(3)
    : milliseconds.toFixed(milliseconds < 100 ? 2 : 1);
}
