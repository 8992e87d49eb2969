/**
 * Loaded before a test file, makes every fast-check property of it begin with the seed in SEED: what failed with that
 * seed fails again.
 */
import assert from "node:assert/strict";
import fc from "fast-check";

const seed = Number.parseInt(process.env.SEED ?? "", 10);
assert.ok(Number.isInteger(seed), "SEED must be the seed that a failed property printed");
fc.configureGlobal({ seed });
