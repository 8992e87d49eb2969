/** A crash test for people: a line for each round, and at the end what was acknowledged, found, missing and received twice. */
import type { Results, Round } from "./results.ts";

export function describeStart({
  broker,
  durability,
  folder,
  seed,
}: Pick<Results, "broker" | "durability" | "folder" | "seed">): string {
  const how = durability === undefined ? "" : `, durability ${durability}`;
  return `tserve crash-test: ${broker} in ${folder}${how}, seed ${seed}\n`;
}

/** `roundsMax` gives the width. */
export function describeRound(round: Round, roundsMax: number): string {
  const name = `round ${pad(round.round, String(roundsMax).length)}`;
  const life = `${pad(round.published, 5)} published, ${pad(round.acknowledged, 5)} acknowledged, ${pad(round.received, 6)} received`;
  const death = `killed after ${pad(round.livedMilliseconds, 5)} ms`;
  const start = round.killedAtStart ? " (and killed while it started)" : "";
  return `${name}  ${life}, ${death}, up again in ${round.restartMilliseconds} ms${start}\n`;
}

export function describeResults(results: Results): string {
  const { faults, rounds } = results;
  const again = results.receivedAgainQos1;
  const lines = [
    line("ended", `${results.ended}: ${describeCourse(results)}`),
    line(
      "published",
      `${count(results.published)} messages of QoS 1 and 2, ${describeRate(rounds)}`,
    ),
    line("acknowledged", describeAcknowledged(results)),
    line("found", `${count(results.received)} messages in ${results.sessions} sessions`),
    line("missing", count(faults.missing)),
    line("twice", `${count(faults.twice)} of QoS 2; ${count(again)} of QoS 1, which may`),
    line(
      "else",
      `${count(faults.order)} out of order; ${count(faults.damaged)} damaged or never sent`,
    ),
    line(
      "retained",
      `${count(faults.retained)} wrong in ${count(results.retainedLooks)} looks; ${count(results.retainedAcknowledged)} were acknowledged`,
    ),
    line("sessions", `${count(faults.session)} lost`),
    line(
      "subscriptions",
      `${count(faults.subscription)} wrong in ${count(results.subscriptionLooks)} looks; ${count(results.subscriptionChanges)} changes were acknowledged`,
    ),
    ...describeStarts(rounds),
    ...Object.entries(results.notes).map(([text, times]) =>
      line("note", times === 1 ? text : `${text} (${count(times)} times)`),
    ),
  ];
  return `${lines.join("\n")}\n${describeVerdict(results)}`;
}

function describeVerdict(results: Results): string {
  const lines: string[] = [];
  if (results.failure !== undefined) {
    lines.push(results.failure, ...indent("it said last:", results.brokerOutput ?? []));
  }
  if (isBroken(results)) {
    lines.push(...indent("NOT KEPT, the first of each kind:", results.faultExamples));
  } else if (results.ended === "all rounds")
    lines.push("Kept: all that was acknowledged was there.");
  else
    lines.push("Nothing acknowledged is known to be lost, but the test did not come to its end.");
  return `${lines.join("\n")}\n`;
}

function indent(title: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [title, ...texts.map((text) => `  ${text}`)];
}

export function isBroken({ faults }: Pick<Results, "faults">): boolean {
  return Object.values(faults).some((number) => number > 0);
}

function describeCourse({ rounds, kills, seconds, drainSeconds }: Results): string {
  const drain =
    drainSeconds === undefined ? "" : `, the last ${drainSeconds} s to take what was left`;
  return `${rounds.length} rounds and ${kills} kills in ${seconds} s${drain}`;
}

function describeAcknowledged({ acknowledged, refused, unacknowledged }: Results): string {
  const others = [
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
    ...(unacknowledged > 0 ? [`${count(unacknowledged)} not yet`] : []),
  ];
  return [count(acknowledged), ...others].join(", ");
}

function describeRate(rounds: readonly Round[]): string {
  const milliseconds = rounds.reduce((sum, round) => sum + round.livedMilliseconds, 0);
  if (milliseconds === 0) return "in no whole round";
  const rate = (number: keyof Pick<Round, "acknowledged" | "received">) => {
    const messages = rounds.reduce((sum, round) => sum + round[number], 0);
    return count(Math.round((messages / milliseconds) * 1000));
  };
  return `${rate("acknowledged")} acknowledged and ${rate("received")} received a second`;
}

function describeStarts(rounds: readonly Round[]): string[] {
  if (rounds.length === 0) return [];
  const times = rounds.map(({ restartMilliseconds }) => restartMilliseconds).sort((a, b) => a - b);
  const middle = times[Math.floor(times.length / 2)];
  return [
    line("restarts", `${times[0]} ms at best, ${middle} in the middle, ${times.at(-1)} at worst`),
  ];
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(14)}${text}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function pad(number: number, width: number): string {
  return String(number).padStart(width);
}
