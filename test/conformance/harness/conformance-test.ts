/** One test for every transport and every version that it concerns; the names say which. */
import { test } from "node:test";
import { ProtocolVersion } from "../../../src/codec/index.ts";
import type { BrokerOptions } from "../../../src/index.ts";
import { type TransportName, transports } from "./byte-stream.ts";
import { World } from "./world.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

export const onlyV5: readonly ProtocolVersion[] = [v5];
export const onlyV3: readonly ProtocolVersion[] = [v3_1, v3_1_1];
export const onlyV3_1_1: readonly ProtocolVersion[] = [v3_1_1];
export const everyVersion: readonly ProtocolVersion[] = [v3_1, v3_1_1, v5];

const versionNames = { [v3_1]: "v3.1", [v3_1_1]: "v3.1.1", [v5]: "v5" } as const;

export interface ConformanceOptions {
  /** The versions of `World.version`, one run each. */
  readonly versions: readonly ProtocolVersion[];
  /** Where it is about one of them alone. */
  readonly onlyOn?: TransportName;
  /** For this test's broker. */
  readonly broker?: BrokerOptions;
}

/**
 * `name` starts with the standard and its clauses: `"5.0 [MQTT-3.1.0-2] a second CONNECT ends the connection"`, to
 * which `(v5, tcp)` is added.
 */
export function conformanceTest(
  name: string,
  { versions, onlyOn, broker = {} }: ConformanceOptions,
  run: (world: World) => Promise<void>,
): void {
  for (const version of versions) {
    for (const transport of onlyOn === undefined ? transports : [onlyOn]) {
      test(`${name} (${versionNames[version]}, ${transport})`, {
        timeout: 20_000,
      }, async (context) => {
        await run(await World.start(context, broker, { version, transport }));
      });
    }
  }
}
