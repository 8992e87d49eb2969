/** One line about a consumer while it runs on a terminal. */
import type { Figures } from "./metric-table.ts";

/** Answers with what happened in the `seconds` since it was asked before. */
export function describeProgress(read: () => Figures | undefined): (seconds: number) => string {
  let before = 0;
  return (seconds) => {
    const figures = read();
    if (figures === undefined) return "";
    const { messages, pendingMessages, sinks } = figures.counts;
    const rate = (messages - before) / seconds;
    before = messages;
    const parts = [`${count(messages)} messages, ${count(rate)}/s`];
    if (!figures.consumer.isOnline) parts.unshift("not connected");
    if (pendingMessages > 0) parts.push(`${count(pendingMessages)} pending`);
    for (const { name, state, spooledMessages, refused } of sinks) {
      const words = [name, state];
      if (spooledMessages > 0) words.push(`(${count(spooledMessages)} in the spool)`);
      if (refused > 0) words.push(`(${count(refused)} refused)`);
      parts.push(words.join(" "));
    }
    return `tconsume: ${parts.join(", ")}`;
  };
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
