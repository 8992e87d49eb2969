/** Writes docs/errors.md from the one table of errors, `errorTable` in src/base/errors.ts. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeReasonCode, type ErrorCode, errorTable, TstackError } from "../src/base/index.ts";

const head = `# Errors

What can go wrong in the world around tStack, by the stable code that stands in its logs and in \`TstackError.code\`.
A peer that speaks MQTT 5.0 is told the reason code. A message that begins with "assertion failed" is not in this
list: it is a bug in tStack, and we would like to hear of it.

This page is written by \`npm run format\` from \`src/base/errors.ts\`.

| code | what it means | what the peer is told |
| --- | --- | --- |
`;

export function renderErrorDocs(): string {
  const rows = (Object.keys(errorTable) as ErrorCode[]).map((code) => {
    const { meaning } = errorTable[code];
    const told =
      "reasonCode" in errorTable[code]
        ? describeReasonCode(new TstackError(code, meaning).reasonCode)
        : "";
    return `| \`${code}\` | ${meaning.replaceAll("|", "\\|")} | ${told} |`;
  });
  return `${head}${rows.join("\n")}\n`;
}

if (import.meta.main) {
  await writeFile(join(import.meta.dirname, "../docs/errors.md"), renderErrorDocs());
}
