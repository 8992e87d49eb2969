import assert from "node:assert/strict";
import { test } from "node:test";
import { readPrometheusSettings } from "./settings.ts";

test("without a word it is VictoriaMetrics on this machine", async () => {
  const settings = await readPrometheusSettings({});
  assert.equal(settings.destination, "Prometheus at http://localhost:8428");
  assert.equal(settings.url.href, "http://localhost:8428/api/v1/write");
  assert.deepEqual([settings.headers, settings.resendSeconds], [{}, 15]);
});

test("the destination is shown without the query, and credentials go into one header", async () => {
  const url = "https://m.example/api/v1/push?key=secret";
  const token = await readPrometheusSettings({ "prometheus-url": url, "prometheus-token": "t" });
  assert.equal(token.destination, "Prometheus at https://m.example");
  assert.deepEqual(token.headers, { authorization: "Bearer t" });
  const user = { "prometheus-user": "ada", "prometheus-password": "pw" };
  const basic = await readPrometheusSettings({ ...user, "prometheus-resend-seconds": "1m" });
  assert.deepEqual(basic.headers, { authorization: `Basic ${btoa("ada:pw")}` });
  assert.equal(basic.resendSeconds, 60);
});

for (const [values, message] of [
  [{ "prometheus-url": "http://localhost:9090" }, /with the path of remote write.*, not "http:/],
  [{ "prometheus-url": "http://a:secret@b/x" }, /^--prometheus-url is a URL without user and/],
  [{ "prometheus-user": "a" }, /^--prometheus-user is only together with/],
  [{ "prometheus-password": "secret" }, /^--prometheus-user is only together with/],
  [
    { "prometheus-user": "a", "prometheus-password": "secret", "prometheus-token": "secret" },
    /^--prometheus-token is not for --prometheus-user$/,
  ],
  [{ "prometheus-token": "secret ü" }, /^--prometheus-token is of ASCII characters/],
  [{ "prometheus-resend-seconds": "long" }, /^--prometheus-resend-seconds is a time such as/],
] as const) {
  test(`a mistake is told: ${JSON.stringify(values)}`, async () => {
    await assert.rejects(readPrometheusSettings(values), (error: Error & { code?: string }) => {
      assert.equal(error.code, "CONFIGURATION_INVALID");
      assert.match(error.message, message);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  });
}
