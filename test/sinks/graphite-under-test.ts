/** Graphite as the suite of sinks has it: one carbon for all checks, where each has a first node of its own. */
import type { SinkTraits, SinkUnderTest } from "../../src/sinks/conformance/index.ts";
import { graphiteSink } from "../../src/sinks/graphite/index.ts";
import { CarbonServer } from "./carbon-server.ts";

export const graphiteTraits: SinkTraits = {
  timeStep: 1_000_000,
  keepsText: false,
  keepsBooleans: false,
  hasKey: true,
};

const restSeconds = 0.05;

export class GraphiteUnderTest {
  readonly #protocol: "plaintext" | "pickle";
  #carbon: CarbonServer | undefined;
  #checks = 0;

  constructor(protocol: "plaintext" | "pickle") {
    this.#protocol = protocol;
  }

  async open(): Promise<SinkUnderTest> {
    this.#carbon ??= await CarbonServer.start({ restSeconds });
    const carbon = this.#carbon;
    this.#checks += 1;
    const node = `check${this.#checks}`;
    let wasLookedAt = false;
    return {
      sink: await graphiteSink.configure({
        "graphite-host": "127.0.0.1",
        "graphite-port": String(this.#protocol === "pickle" ? carbon.picklePort : carbon.port),
        "graphite-protocol": this.#protocol,
        "graphite-prefix": node,
      }),
      async readBack() {
        // Nobody has sent anything yet that could be on its way.
        if (!wasLookedAt) {
          wasLookedAt = true;
          return [];
        }
        const points = await carbon.read(node);
        return points.map(({ path, seconds, value }) => ({
          series: path,
          field: "",
          time: seconds * 1_000_000,
          value,
        }));
      },
      interrupt: () => carbon.stop("SIGKILL"),
      resume: () => carbon.restart(),
      end: async () => undefined,
    };
  }

  async end(): Promise<void> {
    await this.#carbon?.end();
  }
}
