/** What a SUBACK refuses, in words. */
import { describeCode } from "./failure.ts";

const refusedFrom = 0x80;

/** A line for each filter that the broker refuses. `codes` is one for each of `filters`. */
export function describeRefusals(
  filters: readonly string[],
  outcome: { readonly codes: readonly number[]; readonly reasonString?: string },
  protocolVersion: 3 | 4 | 5,
): string[] {
  const refusals: string[] = [];
  for (const [index, code] of outcome.codes.entries()) {
    if (code < refusedFrom) continue;
    const reason =
      protocolVersion < 5
        ? "the broker does not say why before MQTT 5, try -V 5"
        : describeCode(code, outcome.reasonString);
    refusals.push(`subscribing to ${filters[index]} was refused: ${reason}`);
  }
  return refusals;
}
