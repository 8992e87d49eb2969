/** The status topic: `online` while this program is, `offline` by itself at its end, and by the broker as its will. */
import type { Connection, Talk } from "../client/index.ts";

export const statusTexts = { online: "online", offline: "offline" } as const;

/** Only while online. */
export function publishStatus(
  connection: Connection,
  topic: string,
  status: keyof typeof statusTexts,
  talk: Talk,
): void {
  const message = { topic, payload: Buffer.from(statusTexts[status]) };
  connection.publish(message, { qos: 1, retain: true }, (failure) => {
    if (failure !== undefined) talk.say(failure.message);
  });
}
