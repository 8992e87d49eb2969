/**
 * Starts one of tStack's programs, or says in one line which Node.js it needs. The files in bin/ are written in old
 * JavaScript, as CommonJS (package.json beside this file), so that even Node.js 10 gets as far as that line.
 */
"use strict";

const fs = require("fs");
const path = require("path");
const url = require("url");

const root = path.join(__dirname, "..");
const { engines } = require("../package.json");

/** `>=24.7` as [24, 7]. */
function readNeeded() {
  return /(\d+)\.(\d+)/.exec(engines.node).slice(1).map(Number);
}

function isTooOld() {
  const needed = readNeeded();
  const present = process.versions.node.split(".").map(Number);
  return present[0] < needed[0] || (present[0] === needed[0] && present[1] < needed[1]);
}

function explainWrongVersion(program) {
  return (
    `${program} needs Node.js ${readNeeded().join(".")} or newer, and this is ${process.versions.node} ` +
    `(${process.execPath}): get it from https://nodejs.org, or put it first on the PATH of one command with ` +
    `"npx -p node@${readNeeded()[0]} -p tstack ${program}"\n`
  );
}

/** A checkout runs its sources, so that nobody meets yesterday's build; the published package has only dist/. */
function locate(file) {
  const source = path.join(root, "src", "cli", `${file}.ts`);
  const built = path.join(root, "dist", "cli", `${file}.js`);
  return url.pathToFileURL(fs.existsSync(source) ? source : built).href;
}

module.exports = async function start(program) {
  if (isTooOld()) {
    process.stderr.write(explainWrongVersion(program));
    process.exitCode = 1;
    return;
  }
  const { runAsProcess } = await import(locate("program-io"));
  const { run } = await import(locate(program));
  await runAsProcess(run);
};
