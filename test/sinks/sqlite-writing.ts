/** A process of its own: `FILE TOPIC`. It writes batches of a hundred and says each time how many it has written. */
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { sqliteSink } from "../../src/sinks/sqlite/index.ts";

const [file, topic] = process.argv.slice(2);
const configured = await sqliteSink.configure({ "sqlite-file": file });
const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
const maker = new MessageMaker();
let count = 0;
for (;;) {
  count += await sink.write(maker.numbers(100, topic));
  process.stdout.write(`${count}\n`);
}
