/** The databases that readings go into, and the programs of theirs that load rows. */
import type { DebianRequirement } from "../../scripts/debian-packages.ts";

const neededFor = "readings into databases";

export const databases: readonly DebianRequirement[] = [
  // With its server: psql is in a package that it needs.
  { debianPackage: "postgresql", neededFor, probes: [["psql", "--version"]] },
  { debianPackage: "influxdb", neededFor, probes: [["influxd", "version"]] },
  { debianPackage: "influxdb-client", neededFor, probes: [["influx", "-version"]] },
  { debianPackage: "sqlite3", neededFor, probes: [["sqlite3", "--version"]] },
  { debianPackage: "curl", neededFor, probes: [["curl", "--version"]] },
];
