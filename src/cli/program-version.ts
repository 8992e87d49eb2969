/** The version that every program tells with `--version`: the package's. */
export { readVersion as readProgramVersion } from "../package-version.ts";
