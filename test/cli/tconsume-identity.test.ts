/** Two tconsume that want to be the same: in one folder, or with one client identifier. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, interrupt } from "./consume-world.ts";
import { ServeProcess } from "./tserve-process.ts";

test("a second tconsume with the folder of the first says whose it is", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const first = await world.consuming();
  const { code, stderr } = await world.run();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`data.*tconsume, process ${first.child.pid}`));
  await interrupt(first);
});

for (const version of ["5", "311"]) {
  test(`-V ${version}: another client with the same identifier is told of, and how to avoid it`, async (context) => {
    const broker = await ServeProcess.start();
    context.after(() => broker.stop());
    const world = new ConsumeWorld(context, broker.port);
    const first = await world.consuming("-i", "twin", "-V", version, "--data", world.file("a"));
    const second = world.start("-i", "twin", "-V", version, "--data", world.file("b"));
    if (version === "5") {
      const { code, stderr } = await first.ended;
      assert.equal(code, 1);
      assert.match(
        stderr,
        /session taken over .*another client has come with this client identifier/,
      );
    } else {
      const told = "is another client here as twin";
      await Promise.race([first.saw(told), second.saw(told)]);
      await interrupt(first);
    }
    await interrupt(second);
  });
}
