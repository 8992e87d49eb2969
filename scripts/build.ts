/**
 * Builds what is published: JavaScript and declarations of src/ without its tests and what only they use, into an empty dist/, so that
 * nothing of an earlier build is published again.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "./step.ts";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
const { output, passed } = await runStep(["tsc", "-p", "tsconfig.build.json"]);
process.stdout.write(output);
process.exitCode = passed ? 0 : 1;
