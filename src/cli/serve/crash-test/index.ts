export { addCrashTestCommand, type CrashTestArguments } from "./command.ts";
export { runCrashTest } from "./crash-test.ts";
