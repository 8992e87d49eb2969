/**
 * Brings what the tests need beyond npm, or says which tests will be skipped without it. In CI, where nothing may be
 * skipped, a missing program is a failure here.
 */
import { type DebianRequirement, installDebianPackages } from "./debian-packages.ts";

const requirements: readonly DebianRequirement[] = [
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
    debianPackage: "haproxy",
    neededFor: "the tests of the PROXY protocol with a real proxy",
    probes: [["haproxy", "-v"]],
  },
  {
    debianPackage: "openssl",
    neededFor: "the tests of TLS with openssl's client",
    probes: [["openssl", "version"]],
  },
  {
    debianPackage: "systemd",
    neededFor: "the tests of the units in packaging/ with systemd's own tools",
    probes: [["systemd-analyze", "--version"]],
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
  {
    debianPackage: "influxdb",
    neededFor: "the tests of the sink influxdb with a real InfluxDB",
    probes: [["influxd", "version"]],
  },
  {
    debianPackage: "victoria-metrics",
    neededFor: "the tests of the sinks prometheus and influxdb with a real VictoriaMetrics",
    probes: [["victoria-metrics", "-version"]],
  },
  {
    debianPackage: "postgresql",
    neededFor: "the tests of the sink postgres with a real PostgreSQL",
    // Debian has a folder for each version, and none of them on the PATH.
    probes: [
      ["initdb", "--version"],
      ["/usr/lib/postgresql/15/bin/initdb", "--version"],
      ["/usr/lib/postgresql/16/bin/initdb", "--version"],
      ["/usr/lib/postgresql/17/bin/initdb", "--version"],
    ],
  },
  {
    debianPackage: "graphite-carbon",
    neededFor: "the tests of tconsume with a real Graphite",
    probes: [["carbon-cache", "--help"]],
  },
  {
    debianPackage: "python3-whisper",
    neededFor: "the tests of tconsume that read what Graphite has written",
    probes: [["/usr/bin/python3", "-c", "import whisper"]],
  },
  {
    debianPackage: "graphite-web",
    neededFor: "the test of docs/monitoring.md with Graphite's render API",
    probes: [["/usr/bin/python3", "-c", "import graphite"]],
  },
  {
    debianPackage: "sqlite3",
    neededFor: "the test of docs/query.md with SQLite's own program",
    probes: [["sqlite3", "--version"]],
  },
];

const missing = installDebianPackages(requirements);
for (const { debianPackage, neededFor } of missing) {
  console.log(`Skipped, because ${debianPackage} is not installed: ${neededFor}`);
}
if (missing.length > 0 && process.env.CI !== undefined) process.exitCode = 1;
