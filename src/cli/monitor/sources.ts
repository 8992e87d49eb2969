/** All that this machine is asked for, by what its system is and what the command line says. */
import { uptime } from "node:os";
import type { NamedCommand } from "./command-line-words.ts";
import { CommandSource } from "./command-source.ts";
import type { Source } from "./source.ts";
import { UnitSource } from "./unit-source.ts";

export interface SourceOptions {
  readonly eachCore: boolean;
  readonly units: readonly string[];
  /** The socket by which containers are asked for. */
  readonly containerSocket?: string;
  readonly commands: readonly NamedCommand[];
}

export interface SourceWorld {
  readonly platform: NodeJS.Platform;
  /** Of a clock that nobody sets. */
  readonly nowSeconds: () => number;
  /** Ends the programs that run. */
  readonly signal: AbortSignal;
}

/** The names that no command may have: the first levels of the machine's own figures, and of what else is told. */
export const reservedNames: ReadonlySet<string> = new Set([
  "cpu",
  "memory",
  "swap",
  "disks",
  "io",
  "network",
  "temperature",
  "processes",
  "uptime",
  "units",
  "containers",
  "status",
  "state",
]);

export async function openSources(
  options: SourceOptions,
  { platform, nowSeconds, signal }: SourceWorld,
): Promise<Source[]> {
  const machine = { eachCore: options.eachCore, nowSeconds };
  const sources =
    platform === "linux"
      ? (await import("./linux/index.ts")).linuxSources(machine)
      : await (await import("./other-systems.ts")).otherSystemSources(machine);
  sources.push({
    name: "uptime",
    read: async () => [{ path: "uptime", kind: "seconds", value: uptime() }],
  });
  if (options.units.length > 0) sources.push(new UnitSource(options.units, nowSeconds, signal));
  if (options.containerSocket !== undefined) {
    // HTTP takes megabytes that only who asks for it shall have.
    const { ContainerSource } = await import("./container-source.ts");
    sources.push(new ContainerSource(options.containerSocket, nowSeconds));
  }
  return [...sources, ...options.commands.map((command) => new CommandSource(command, signal))];
}
