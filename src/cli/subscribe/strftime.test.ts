import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { findTimeConversion } from "./strftime.ts";

const letters = [..."aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYz%"];
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

test("every letter says what date(1) says, through the years and their edges", () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const times = [0, 951_782_400, 1_704_067_199, 1_735_603_200, 1_230_768_000, 1_483_228_799];
  for (let index = 0; index < 40; index += 1) {
    times.push(Math.floor(((Math.sin(seed + index) + 1) / 2) * 4_000_000_000));
  }
  for (const seconds of times) {
    const format = letters.map((letter) => `%${letter}`).join("|");
    const environment = { LC_ALL: "C", TZ: zone };
    const expected = execFileSync("date", ["-d", `@${seconds}`, `+${format}`], {
      env: environment,
    });
    const time = new Date(seconds * 1000);
    const actual = letters.map((letter) => findTimeConversion(letter)?.(time)).join("|");
    assert.equal(`${actual}\n`, expected.toString(), `at ${seconds}`);
  }
});

test("@N is the nanoseconds of the second, @Z the zone", () => {
  assert.equal(findTimeConversion("N")?.(new Date(1007)), "007000000");
  assert.match(findTimeConversion("Z")?.(new Date(0)) ?? "", /^\S+$/);
});

test("there is no @Q", () => {
  assert.equal(findTimeConversion("Q"), undefined);
});
