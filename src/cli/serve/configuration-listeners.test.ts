import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { toOverrides } from "./command-line.ts";
import { type ConfigurationSources, loadConfiguration } from "./configuration.ts";
import { ConfigurationError } from "./configuration-mistake.ts";

const folder = mkdtempSync(join(tmpdir(), "tserve-listeners-"));
after(() => rmSync(folder, { recursive: true }));
for (const name of ["cert", "key", "ca", "secret"]) writeFileSync(join(folder, name), "");

function load(yaml: string, others: Partial<ConfigurationSources> = {}) {
  const file = join(folder, "tserve.yaml");
  writeFileSync(file, yaml);
  return loadConfiguration({ file, environment: {}, flags: [], ...others });
}

function loadMistakes(yaml: string, others: Partial<ConfigurationSources> = {}) {
  try {
    load(yaml, others);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.lines;
  }
  return assert.fail(`no mistake was found in ${yaml}`);
}

const tls = "tls: { cert: cert, key: key }\n";
const url = "listen:\n  - url: mqtt://127.0.0.1:0\n";
const secure = "listen:\n  - url: mqtts://127.0.0.1:0\n";
const ada = 'users: [{ name: ada, password: x, rights: "#" }]\n';

/** Each kind of mistake, with its line and column. */
const mistakes: [yaml: string, line: RegExp][] = [
  ["listen:\n  - 7\n", /:2:5 listen\[0\]: expected text or keys with values, not a whole number/],
  ["listen:\n  - { tls: {} }\n", /:2:5 listen\[0\]\.url: is missing; expected text/],
  [`${url}    tl: {}\n`, /:3:5 listen\[0\]\.tl: unknown key; did you mean tls\?/],
  ["listen:\n  - url: mqt://x\n", /:2:10 listen\[0\]\.url: cannot listen on "mqt:\/\/x"/],
  ["listen:\n  - mqtts://127.0.0.1\n", /:2:5 listen\[0\]: needs tls with cert and key \(or --cert/],
  [secure, /:2:5 listen\[0\]: needs tls with cert and key/],
  [`${url}    ${tls}`, /:3:10 listen\[0\]\.tls: is for mqtts:\/\/ and wss:\/\/ only/],
  [`${secure}    tls: { cert: cert }\n`, /:3:10 listen\[0\]\.tls\.key: is missing; expected text/],
  [`${secure}    tls: { cert: none, key: key }\n`, /\.tls\.cert: cannot read .*none: no such file/],
  [`${secure}    tls: { cert: '', key: key }\n`, /tls\.cert: must not be empty/],
  [
    `${secure}    tls: { cert: cert, key: key, clientCertificates: required }\n`,
    /:3:54 listen\[0\]\.tls\.clientCertificates: needs ca/,
  ],
  [
    `${secure}    tls: { cert: cert, key: key, ca: ca, clientCertificates: none }\n`,
    /:3:\d+ listen\[0\]\.tls\.ca: has no effect while clientCertificates is none/,
  ],
  [
    `${secure}    tls: { cert: cert, key: key, clientCertificates: reqired }\n`,
    /clientCertificates: expected one of none, optional, required; did you mean required\?/,
  ],
  [
    `${secure}    tls: { cert: cert, key: key, more: [{ cert: x, key: key }] }\n`,
    /tls\.more\[0\]\.cert: cannot read .*x: no such file/,
  ],
  ["tls: { cert: none, key: key }\n", /:1:14 tls\.cert: cannot read .*none: no such file/],
  [
    `${url}    proxyProtocol: { from: [10.0.0.0/33] }\n`,
    /:3:29 .*from\[0\]: is no address or subnet/,
  ],
  [`${url}    proxyProtocol: { from: [proxy] }\n`, /from\[0\]: is no address or subnet/],
  [`${url}    proxyProtocol: { from: [] }\n`, /proxyProtocol\.from: must not be empty/],
  [`${url}    authentication: [user]\n`, /authentication\[0\]: .*did you mean users\?/],
  [`${url}    authentication: []\n`, /authentication: must not be empty/],
  [`${url}    authentication: [users, jwt]\n`, /:3:29 .*\[1\]: cannot be jwt: there is no auth/],
  [`${url}    authentication: [http]\n`, /\[0\]: cannot be http: there is no authentication\.http/],
  [
    `${url}    authentication: [certificate]\n`,
    /\[0\]: cannot be certificate: this listener asks for no client certificates/,
  ],
  [
    `${url}    authentication: [users]\n    allowAnonymous: true\n`,
    /:4:21 listen\[0\]\.allowAnonymous: is true, but authentication does not name anonymous/,
  ],
  [
    `${url}    allowAnonymous: true\n${ada}`,
    /:3:21 listen\[0\]\.allowAnonymous: with users needs anonymous\.rights/,
  ],
  [`${url}    anonymous: { rights: a/#/b }\n`, /:3:26 .*anonymous\.rights: is not a topic filter/],
  [`${url}    refusedPublish: drop\n`, /refusedPublish: expected one of acknowledge, disconnect/],
  [`${url}    limits: { queueMessagesMax: 5 }\n`, /limits\.queueMessagesMax: unknown key/],
  [`${url}    limits: { connectionsMax: 0 }\n`, /:3:31 .*connectionsMax: must be at least 1/],
  ["authentication: { jwt: {} }\n", /:1:24 authentication\.jwt: needs exactly one of secretFile/],
  [
    "authentication: { jwt: { jwksUrl: https://x/y } }\n",
    /:1:35 authentication\.jwt\.jwksUrl: needs an audience beside it/,
  ],
  ["authentication: { jwt: { secretFile: none } }\n", /secretFile: cannot read .*none: no such/],
  [
    "authentication: { jwt: { secretFile: secret, algorithms: [none] } }\n",
    /jwt\.algorithms\[0\]: expected one of HS256/,
  ],
  ["authentication: { http: {} }\n", /authentication\.http\.url: is missing/],
  ["authentication: { http: { url: x, secretFile: none } }\n", /http\.secretFile: cannot read/],
  ["authentication: { certificate: { userName: dn } }\n", /userName: expected one of cn, san:DNS/],
  ["authentication: { chain: [users, userz] }\n", /chain\[1\]: .*did you mean users\?/],
];

test("configuration: each mistake in a listener or in authentication is named with its place", () => {
  for (const [yaml, expected] of mistakes) {
    const lines = loadMistakes(yaml);
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} is not in\n${lines.join("\n")}\nfor\n${yaml}`,
    );
  }
});

test("configuration: a mount point is the beginning of topics", () => {
  const mount = (text: string) => `${url}    mountPoint: ${JSON.stringify(text)}\n`;
  for (const wrong of ["site", "", "a/+/", "#/", "$SYS/", "$x/", "a\0/", `${"x".repeat(255)}/`]) {
    assert.match(loadMistakes(mount(wrong))[0], /:3:17 listen\[0\]\.mountPoint: must be the begin/);
  }
  for (const right of ["site-1/", "a/b/", "ä/", "/", "a$/"]) {
    assert.equal(load(mount(right)).listeners[0].mountPoint, right);
  }
});

test("configuration: a listener has what is its own, and the rest of all", () => {
  const { listeners } = load(`${tls}refusedPublish: disconnect
listen:
  - mqtts://127.0.0.1:1
  - url: mqtts://127.0.0.1:2
    refusedPublish: acknowledge
    limits: { connectionsMax: 5 }
    mountPoint: site/
    tls: { cert: cert, key: key, ca: ca, versionMin: TLSv1.3, more: [{ cert: cert, key: key }] }
  - mqtt://127.0.0.1:3
`);
  const [first, second, third] = listeners;
  const certFile = join(folder, "cert");
  const keyFile = join(folder, "key");
  assert.deepEqual(first.tls, {
    certificates: [{ certFile, keyFile }],
    caFile: undefined,
    crlFile: undefined,
    clientCertificates: "none",
    versionMin: "TLSv1.2",
  });
  assert.deepEqual(second.tls, {
    certificates: [
      { certFile, keyFile },
      { certFile, keyFile },
    ],
    caFile: join(folder, "ca"),
    crlFile: undefined,
    clientCertificates: "required",
    versionMin: "TLSv1.3",
  });
  assert.equal(third.tls, undefined);
  assert.deepEqual(
    listeners.map(({ refusedPublish }) => refusedPublish),
    ["disconnect", "acknowledge", "disconnect"],
  );
  assert.deepEqual([second.limits, second.mountPoint], [{ connectionsMax: 5 }, "site/"]);
  assert.deepEqual(
    listeners.map(({ chain }) => chain.join()),
    ["users,anonymous", "certificate,users,anonymous", "users,anonymous"],
  );
});

test("configuration: the default chain asks those that are configured; a chain may be said for all", () => {
  const jwt = "authentication: { jwt: { secretFile: secret }";
  const chainOf = (yaml: string) => load(yaml).listeners.map(({ chain }) => chain.join());
  assert.deepEqual(chainOf(`${jwt} }\n`), ["jwt,users,anonymous"]);
  assert.deepEqual(chainOf(`${jwt}, chain: [users, jwt] }\n`), ["users,jwt"]);
  const own =
    "listen: [mqtt://127.0.0.1, { url: mqtt://127.0.0.1:1, authentication: [anonymous] }]\n";
  assert.deepEqual(chainOf(`${jwt}, chain: [jwt] }\n${own}`), ["jwt", "anonymous"]);
});

test("configuration: anonymous clients come in where nobody else could be told apart, or where asked for", () => {
  const accepted = (yaml: string) =>
    load(yaml)
      .listeners.map(({ anonymous }) => anonymous.accepted)
      .join();
  assert.equal(
    accepted("listen: [mqtt://127.0.0.1, unix:///tmp/x]\n"),
    "whileNoUsers,whileNoUsers",
  );
  assert.equal(accepted("listen: [mqtt://0.0.0.0]\n"), "never");
  assert.equal(accepted("allowAnonymous: false\n"), "never");
  assert.equal(accepted("allowAnonymous: true\nlisten: [mqtt://0.0.0.0]\n"), "always");
  // A proxy on this machine brings those of others.
  assert.equal(accepted(`${url}    proxyProtocol: { from: [127.0.0.1] }\n`), "never");
  assert.equal(accepted("authentication: { http: { url: x } }\n"), "never");
  assert.equal(accepted(`${url}    authentication: [users]\n`), "never");
  const two = `${url}    allowAnonymous: false\n  - mqtt://127.0.0.1:1\nallowAnonymous: true\n`;
  assert.equal(accepted(two), "never,always");
});

test("configuration: rights of a listener's anonymous clients are its own, or those of all", () => {
  const { listeners } = load(`anonymous: { rights: all/# }\n${url}    anonymous: { rights: own/# }
  - mqtt://127.0.0.1:1\n`);
  const filters = listeners.map(({ anonymous }) => anonymous.rights?.map(({ filter }) => filter));
  assert.deepEqual(filters, [["own/#"], ["all/#"]]);
  const mistaken = `anonymous: { rights: a/#/b }\nlisten: [mqtt://127.0.0.1:1, mqtt://127.0.0.1:2]\n`;
  assert.equal(loadMistakes(mistaken).length, 1, "told once");
  const useless = load(`${ada}${url}    anonymous: { rights: own/# }\n`).warnings;
  assert.ok(useless.some((line) => /^listen\[0\]\.anonymous\.rights has no effect/.test(line)));
});

test("configuration: users may lack a password where something else proves who they are", () => {
  const user = "users: [{ name: ada, rights: a }]\n";
  assert.match(loadMistakes(user)[0], /users\[0\]: needs exactly one of passwordHash/);
  const withCa = `${secure}    tls: { cert: cert, key: key, ca: ca }\n${user}`;
  assert.equal(load(withCa).users[0].credential, undefined);
});

test("configuration: variables set keys of a listener that the file or another variable names by its URL", () => {
  const environment = {
    TSTACK_LISTEN: "mqtt://127.0.0.1:1,mqtts://127.0.0.1:2",
    TSTACK_LISTEN_0_MOUNT_POINT: "site/",
    TSTACK_LISTEN_1_TLS_CERT: join(folder, "cert"),
    TSTACK_LISTEN_1_TLS_KEY: join(folder, "key"),
    TSTACK_LISTEN_1_TLS_MORE_0_CERT: join(folder, "cert"),
    TSTACK_LISTEN_1_TLS_MORE_0_KEY: join(folder, "key"),
    TSTACK_LISTEN_1_AUTHENTICATION: "users",
    TSTACK_LISTEN_1_LIMITS_CONNECTIONS_MAX: "7",
    TSTACK_LISTEN_2_URL: "unix:///tmp/x",
  };
  const { listeners } = loadConfiguration({ environment, flags: [] });
  assert.deepEqual(
    listeners.map((listener) => listener.url),
    ["mqtt://127.0.0.1:1", "mqtts://127.0.0.1:2", "unix:///tmp/x"],
  );
  assert.equal(listeners[0].mountPoint, "site/");
  assert.equal(listeners[1].tls?.certificates.length, 2);
  assert.deepEqual(listeners[1].chain, ["users"]);
  assert.deepEqual(listeners[1].limits, { connectionsMax: 7 });
  const missing = { TSTACK_LISTEN_0_TLS_CERT: "x" };
  const lines = loadMistakes("", { file: undefined, environment: missing });
  assert.match(lines[0], /^TSTACK_LISTEN_0_TLS_CERT listen\[0\]\.url: is missing/);
  const mistyped = { TSTACK_LISTEN_0_TLS_CRT: "x" };
  const [line] = loadMistakes("", { file: undefined, environment: mistyped });
  assert.match(line, /^TSTACK_LISTEN_0_TLS_CRT: unknown variable/);
});

test("configuration: paths in the file are relative to it, those of variables and flags are not", () => {
  const flags = toOverrides({
    listen: ["mqtts://127.0.0.1:1"],
    cert: join(folder, "cert"),
    key: join(folder, "key"),
  });
  const { listeners } = load("", { flags });
  assert.equal(listeners[0].tls?.certificates[0].keyFile, join(folder, "key"));
  assert.equal(listeners[0].tls?.clientCertificates, "none");
  const elsewhere = toOverrides({ listen: ["mqtts://127.0.0.1:1"], cert: "cert", key: "key" });
  assert.match(
    loadMistakes("", { flags: elsewhere })[0],
    /^--cert tls\.cert: cannot read cert: no/,
  );
  const half = toOverrides({ cert: join(folder, "cert") });
  assert.match(loadMistakes("", { flags: half })[0], /tls\.key: is missing; expected text/);
  const withCa = toOverrides({
    listen: ["wss://127.0.0.1:1"],
    cert: join(folder, "cert"),
    key: join(folder, "key"),
    cafile: join(folder, "ca"),
  });
  assert.equal(load("", { flags: withCa }).listeners[0].tls?.clientCertificates, "required");
});

test("configuration: rights may be for some QoS, and for messages with or without retain", () => {
  const user = (right: string) =>
    `users: [{ name: a, passwordFile: secrets, rights: [${right}] }]\n`;
  writeFileSync(join(folder, "secrets"), "x");
  const [right] = load(user("{ allow: publish, filter: a, qos: [0, 1], retain: false }")).users[0]
    .rights;
  assert.deepEqual([right.qos, right.retain], [[0, 1], false]);
  for (const [wrong, expected] of [
    ["{ allow: publish, filter: a, qos: [3] }", /qos\[0\]: expected one of 0, 1, 2/],
    ["{ allow: publish, filter: a, qos: [] }", /qos: must not be empty/],
    ["{ allow: publish, filter: a, retain: 1 }", /retain: expected true or false/],
    ["{ allow: subscribe, filter: a, retain: true }", /rights\[0\]: its retain is for publish/],
  ] as const) {
    const lines = loadMistakes(user(wrong));
    assert.ok(
      lines.some((line) => expected.test(line)),
      lines.join("\n"),
    );
  }
});
