/** `npm run soak [-- --minutes N]`: the soak for people, with its curve; ends with 1 when it failed. */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "3" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not ${values.minutes}`);
const { faults } = await soak({
  seconds: Math.ceil(minutes * 60),
  memoryBytesMax: 268_435_456,
  print: (line) => console.log(line),
});
for (const fault of faults) console.log(`FAILED: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
