/** A folder that an older tStack has left is taken up as it is, with everything in it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  contentOf,
  rowOf,
  sessionOf,
  subscriptionOf,
} from "../../src/storage/conformance/records.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";
import { migrate, migrations } from "../../src/storage/sqlite/migrations.ts";
import { makeFolder, openFolder } from "./sqlite-folder.ts";

/** One of each, as version 1 wrote it. */
const firstContent = `
  insert into session values
    (1, 'plain', 1, 3600, null, 0, null, null, null, null, null, null, null, null, null, null),
    (2, 'willed', 0, 60, 1795000000123, 1, 5, null, 'w', x'', x'00ff', 1, 1, 'willed', null, null);
  insert into subscription values (1, 1, 'a/#', 1, 0, 0, 0, 0);
  insert into received values (1, 65535);
  insert into shared values (3, 'g', 'a/#');
  insert into message values (9, 1, 't', x'', x'2a', 1, 0, 'p', null, null);
  insert into row values (1, 4, 9, 1, 0, '', 0, 2, null);
  insert into retained values ('r', x'', x'01', 1, 1, 'p', null, null);`;

test("version 1: every session, message and retained message is there, and no session has a user", async (context) => {
  const folder = makeFolder(context);
  const file = join(folder, "tstack.db");
  const database = openDatabase(file, "os");
  migrate(database, file, migrations.slice(0, 1));
  database.exec(firstContent);
  database.close();

  const storage = await openFolder(context, folder);
  const state = await storage.restore();
  const message = contentOf(
    { topic: "w", payload: Buffer.of(0, 255) },
    { retain: true, publisher: "willed" },
  );
  const will = { message, delaySeconds: 5, publishAt: Number.POSITIVE_INFINITY };
  const restored = [...state.sessions];
  assert.deepEqual(
    restored.map(({ session }) => ({
      ...session,
      will: session.will && {
        ...session.will,
        message: { ...session.will.message, bytes: Buffer.from(session.will.message.bytes) },
      },
    })),
    [
      sessionOf(1, { clientIdentifier: "plain" }),
      sessionOf(2, {
        clientIdentifier: "willed",
        isV5: false,
        isConnected: true,
        expirySeconds: 60,
        expiresAt: 1_795_000_000_123,
        will,
      }),
    ],
  );
  assert.deepEqual(restored[0].subscriptions, [subscriptionOf("a/#")]);
  assert.deepEqual(restored[0].receivedIdentifiers, [65_535]);
  assert.deepEqual(
    Array.from(state.shared, ({ queue, group, filter }) => [queue, group, filter]),
    [[3, "g", "a/#"]],
  );
  assert.equal([...state.retained].length, 1);
  const page = { queue: 1, after: 0, messagesMax: 9, bytesMax: 999 };
  const [delivery] = await storage.readWaiting(page);
  assert.deepEqual(delivery.row, rowOf(1, 4, { message: 9, bytes: 2 }));
  assert.equal(Buffer.from(delivery.content?.bytes ?? []).toString(), "t*");

  const session = sessionOf(1, { clientIdentifier: "plain", userName: "ada" });
  await storage.commit([{ kind: "session", session }]);
  await storage.close();
  const again = await openFolder(context, folder);
  const [first] = (await again.restore()).sessions;
  assert.equal(first.session.userName, "ada");
});
