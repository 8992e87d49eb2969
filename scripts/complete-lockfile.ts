/**
 * Adds to package-lock.json the builds for other platforms that `npm install` left out. A registry that mirrors
 * only this machine's platform makes npm forget them without a word, and then `npm ci` of npm 11 refuses the lock
 * file everywhere. Run it after a change of dependencies; it changes nothing when nothing is missing.
 * What it adds has no integrity, because nobody here has seen the bytes.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockEntry {
  version?: string;
  cpu?: string[];
  dev?: boolean;
  libc?: string[];
  optional?: boolean;
  os?: string[];
  optionalDependencies?: Record<string, string>;
}
interface LockFile {
  packages: Record<string, LockEntry>;
}

const systems = /(?:^|-)(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-/;
const processors = /-(arm64|arm|x64|ia32|ppc64|riscv64|s390x|loong64|mips64el|wasm32)(?:-[a-z]+)?$/;

/** What the name of a platform build says: `@oxc-parser/binding-linux-arm64-musl`. */
function readPlatform(name: string): Pick<LockEntry, "cpu" | "libc" | "os"> {
  const build = name.slice(name.indexOf("/") + 1);
  const system = systems.exec(build)?.[1];
  const processor = processors.exec(build)?.[1];
  if (system === undefined || processor === undefined) {
    throw new Error(`${name} is missing from the lock file, and its name tells no platform`);
  }
  const libc = /-musl$/.test(build) ? "musl" : /-gnu$/.test(build) ? "glibc" : undefined;
  return { cpu: [processor], ...(libc === undefined ? {} : { libc: [libc] }), os: [system] };
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as LockFile;
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known =
      lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`];
    if (known !== undefined) continue;
    const { cpu, libc, os } = readPlatform(name);
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev === true ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os,
    };
    added += 1;
  }
}
if (added > 0) {
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  const complete = { ...lock, packages: Object.fromEntries(sorted) };
  writeFileSync("package-lock.json", `${JSON.stringify(complete, null, 2)}\n`);
}
console.log(`package-lock.json: ${added} builds for other platforms added`);
