/** How a CONNECT that cannot be served is answered: the version that its sender will understand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findProtocolVersion, UnsupportedVersionError } from "./connect.ts";
import { decodePacket } from "./decode.ts";
import { ProtocolVersion } from "./packets.ts";
import { parseBytes } from "./vectors/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

for (const [level, answerVersion] of [
  [0, v3_1_1],
  [2, v3_1_1],
  [3, v3_1_1],
  [6, v5],
  [127, v5],
  [0x84, v3_1_1],
] as const) {
  test(`5.0 [MQTT-3.1.2-2] protocol level ${level} is answered in the form of level ${answerVersion}`, () => {
    const hex = level.toString(16).padStart(2, "0");
    const bytes = parseBytes(`10 0c 0004 "MQTT" ${hex} 02 003c 0000`);
    assert.throws(
      () => decodePacket(bytes, v5),
      (error) => {
        assert.ok(error instanceof UnsupportedVersionError);
        assert.equal(error.code, "MQTT_UNSUPPORTED_VERSION");
        assert.equal(error.reasonCode, 0x84);
        assert.equal(error.level, level);
        assert.equal(error.answerVersion, answerVersion);
        return true;
      },
    );
  });
}

for (const [body, version] of [
  [`0004 "MQTT" 05 ff`, v5],
  [`0004 "MQTT" 04`, v3_1_1],
  [`0006 "MQIsdp" 03 ffff`, v3_1],
  [`0004 "MQTT" 06`, undefined],
  [`0004 "HTTP" 05`, undefined],
  [`0004 "MQTT"`, undefined],
  [`ffff "MQTT" 05`, undefined],
  ["", undefined],
] as const) {
  test(`a broken CONNECT of body ${body} is of version ${version}`, () => {
    const bytes = parseBytes(`10 00 ${body}`);
    assert.equal(findProtocolVersion(bytes, 2, bytes.length), version);
  });
}
