/** docs/tmonitor.md does what it says, on a port that is free. */
import { test } from "node:test";
import { FollowedPage } from "./followed-page.ts";

test("docs/tmonitor.md does what it says", { timeout: 55_000 }, async (context) => {
  const page = await FollowedPage.open("docs/tmonitor.md", { ports: [1883] });
  context.after(() => page.close());
  await page.followToEnd();
});
