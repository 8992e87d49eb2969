/**
 * `npm run check`: everything that can be known without running the code, one line for each step, two steps at a
 * time. What a failed step says is printed below the lines; the exit code is 1 when one failed.
 */
import { runStep, type StepResult } from "./step.ts";

interface Step {
  readonly name: string;
  /** One after the other, until one fails. */
  readonly commands: readonly (readonly [string, ...string[]])[];
  /** What mends it, where one command does. */
  readonly remedy?: string;
}

const biomeQuiet = ["--max-diagnostics=50", "--colors=off"] as const;

const steps: readonly Step[] = [
  {
    name: "package",
    commands: [
      ["node", "scripts/build.ts"],
      ["npm", "pack", "--dry-run", "--ignore-scripts", "--loglevel=error"],
      ["publint", "run", "--strict", "--pack=npm"],
    ],
  },
  { name: "types", commands: [["tsc", "--noEmit", "-p", "."]] },
  { name: "dead code", commands: [["knip", "--no-progress", "--no-config-hints"]] },
  {
    name: "format",
    commands: [["biome", "format", ...biomeQuiet]],
    remedy: "npm run format",
  },
  {
    name: "lint and borders",
    commands: [["biome", "check", "--formatter-enabled=false", ...biomeQuiet]],
    remedy: "npm run format, for what it can mend by itself",
  },
];

async function runCommands(step: Step): Promise<StepResult> {
  const total = { passed: true, output: "", seconds: 0 };
  for (const command of step.commands) {
    const result = await runStep(command);
    total.output += result.output;
    total.seconds += result.seconds;
    total.passed = result.passed;
    if (!result.passed) break;
  }
  return total;
}

const waiting = [...steps];
const failures: string[] = [];

async function work(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const { passed, output, seconds } = await runCommands(step);
    console.log(`${passed ? "ok  " : "FAIL"}  ${step.name.padEnd(16)} ${seconds.toFixed(1)} s`);
    if (passed) continue;
    const remedy = step.remedy === undefined ? "" : `To mend it: ${step.remedy}\n`;
    failures.push(`\n--- ${step.name} ---\n${output.trim()}\n${remedy}`);
  }
}

await Promise.all([work(), work()]);
for (const failure of failures) console.log(failure);
if (failures.length > 0) {
  console.log(`check: ${failures.length} of ${steps.length} steps failed`);
  process.exitCode = 1;
}
