export { runCrashTest } from "./crash-test.ts";
