/** docs/registration.md does what it says, on ports that are free. */
import { test } from "node:test";
import { FollowedPage } from "./followed-page.ts";

test("docs/registration.md does what it says", { timeout: 55_000 }, async (context) => {
  const page = await FollowedPage.open("docs/registration.md", { ports: [8883, 8443] });
  context.after(() => page.close());
  await page.followToEnd();
});
