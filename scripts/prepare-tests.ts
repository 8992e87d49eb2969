/**
 * Brings what the tests need beyond npm: other people's MQTT programs, out of Debian's packages. Installs only what
 * is missing, and only where apt-get and root are there; elsewhere says which tests will be skipped. In CI, where
 * nothing may be skipped, a missing program is a failure here.
 */
import { spawnSync } from "node:child_process";

interface Requirement {
  readonly debianPackage: string;
  readonly neededFor: string;
  /** One of these commands starts and, for Python, succeeds where it is installed. */
  readonly probes: readonly (readonly [string, ...string[]])[];
}

const requirements: readonly Requirement[] = [
  {
    debianPackage: "mosquitto",
    neededFor: "the tests of our clients against another broker",
    probes: [["mosquitto", "-h"]],
  },
  {
    debianPackage: "mosquitto-clients",
    neededFor: "the tests of our broker with mosquitto's clients",
    probes: [["mosquitto_sub", "--help"]],
  },
  {
    debianPackage: "python3-paho-mqtt",
    neededFor: "the tests of our broker with Paho's client",
    // Debian's package is for Debian's Python, and another one may stand before it on the PATH.
    probes: [
      ["/usr/bin/python3", "-c", "import paho.mqtt.client"],
      ["python3", "-c", "import paho.mqtt.client"],
    ],
  },
];

/** Debian keeps servers in folders that only root has on its PATH. */
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin` };

function isInstalled({ probes }: Requirement): boolean {
  return probes.some(([program, ...parameters]) => {
    const { error, status } = spawnSync(program, parameters, { env: environment, stdio: "ignore" });
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
  const env = { ...environment, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const { status, stdout, stderr } = spawnSync("apt-get", ["-qq", ...parameters], {
    env,
    encoding: "utf8",
  });
  if (status !== 0) console.log(`apt-get ${parameters.join(" ")}:\n${stdout}${stderr}`);
  return status === 0;
}

let missing = requirements.filter((requirement) => !isInstalled(requirement));
if (missing.length > 0 && isRootWithApt()) {
  const packages = missing.map(({ debianPackage }) => debianPackage);
  console.log(`Installing for the tests: ${packages.join(", ")}`);
  aptGet("update");
  aptGet("install", "--yes", "--no-install-recommends", ...packages);
  missing = requirements.filter((requirement) => !isInstalled(requirement));
}
for (const { debianPackage, neededFor } of missing) {
  console.log(`Skipped, because ${debianPackage} is not installed: ${neededFor}`);
}
if (missing.length > 0 && process.env.CI !== undefined) process.exitCode = 1;
