/**
 * Loaded before a program with `--expose-gc --import`: answers each message of its parent with the memory in use
 * once the garbage is collected.
 */

process.on("message", () => {
  globalThis.gc?.();
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
