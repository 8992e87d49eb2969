/**
 * Other people's MQTT programs, out of Debian's packages: what the tests talk to and what the benchmarks measure
 * against. Installs only what is missing, and only where apt-get and root are there.
 */
import { spawnSync } from "node:child_process";

export interface DebianRequirement {
  readonly debianPackage: string;
  readonly neededFor: string;
  /** One of these commands starts and, for Python, succeeds where it is installed. */
  readonly probes: readonly (readonly [string, ...string[]])[];
}

/** Debian keeps servers in folders that only root has on its PATH. */
export const debianEnvironment = {
  ...process.env,
  PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin`,
};

/** Installs what of `requirements` is missing, if it can, and answers what is missing still. */
export function installDebianPackages(
  requirements: readonly DebianRequirement[],
): DebianRequirement[] {
  const missing = requirements.filter((requirement) => !isInstalled(requirement));
  if (missing.length === 0 || !isRootWithApt()) return missing;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  console.log(`Installing: ${packages.join(", ")}`);
  aptGet("update");
  aptGet("install", "--yes", "--no-install-recommends", ...packages);
  return missing.filter((requirement) => !isInstalled(requirement));
}

function isInstalled({ probes }: DebianRequirement): boolean {
  return probes.some(([program, ...parameters]) => {
    const options = { env: debianEnvironment, stdio: "ignore" } as const;
    const { error, status } = spawnSync(program, parameters, options);
    // mosquitto's programs answer a call for help with various exit codes.
    return error === undefined && (status === 0 || !program.endsWith("python3"));
  });
}

function isRootWithApt(): boolean {
  const apt = spawnSync("apt-get", ["--version"], { stdio: "ignore" });
  return process.getuid?.() === 0 && apt.error === undefined;
}

/** Without recommended packages, without questions, and without starting a server on port 1883. */
function aptGet(...parameters: string[]): boolean {
  const env = { ...debianEnvironment, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const { status, stdout, stderr } = spawnSync("apt-get", ["-qq", ...parameters], {
    env,
    encoding: "utf8",
  });
  if (status !== 0) console.log(`apt-get ${parameters.join(" ")}:\n${stdout}${stderr}`);
  return status === 0;
}
