/** Runs one command of node_modules/.bin or of the PATH in the repository's root, and gathers what it says. */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");

export interface StepResult {
  readonly passed: boolean;
  /** stdout and stderr, in the order in which they came. */
  readonly output: string;
  readonly seconds: number;
}

export async function runStep(command: readonly [string, ...string[]]): Promise<StepResult> {
  const started = performance.now();
  const [program, ...parameters] = command;
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const child = spawn(program, parameters, {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const gather = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", gather);
  child.stderr.setEncoding("utf8").on("data", gather);
  const passed = await new Promise<boolean>((resolve) => {
    child.on("error", (error) => {
      output += `${error.message}\n`;
      resolve(false);
    });
    child.on("close", (exitCode) => resolve(exitCode === 0));
  });
  return { passed, output, seconds: (performance.now() - started) / 1000 };
}
