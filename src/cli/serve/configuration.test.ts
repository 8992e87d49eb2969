import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { defaultLimits } from "../../base/index.ts";
import { toOverrides } from "./command-line.ts";
import { type ConfigurationSources, loadConfiguration } from "./configuration.ts";
import { listSettings } from "./configuration-environment.ts";
import { ConfigurationError } from "./configuration-mistake.ts";

const folder = mkdtempSync(join(tmpdir(), "tserve-configuration-"));
after(() => rmSync(folder, { recursive: true }));

function write(text: string, name = "tserve.yaml"): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function load(yaml: string, others: Partial<ConfigurationSources> = {}) {
  return loadConfiguration({ file: write(yaml), environment: {}, flags: [], ...others });
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

const hash =
  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const ada = `users:\n  - name: ada\n    passwordHash: ${hash}\n`;

/** Each kind of mistake, with its line and column. */
const mistakes: [yaml: string, line: RegExp][] = [
  ["a: [1\nb: 2\n", /^tserve\.yaml:2:1: Flow sequence/],
  ["logLevel: info\nlogLevel: warn\n", /^tserve\.yaml:2:1: Map keys must be unique/],
  ["listen: *x\n", /^tserve\.yaml: Unresolved alias/],
  ["- listen\n", /^tserve\.yaml:1:1: expected keys with values, not a list/],
  ["sysTopicSeconds: 1\n", /^tserve\.yaml:1:1 sysTopicSeconds: .*did you mean sysTopicsSeconds\?/],
  ["\nqwertz: 1\n", /^tserve\.yaml:2:1 qwertz: unknown key; known are listen, tls, allowAnonymous/],
  ["limits:\n  packetBytesMx: 1\n", /yaml:2:3 limits\.packetBytesMx: .*mean packetBytesMax\?/],
  ["limits:\n  connectionsMax: lots\n", /:2:19 limits\.connectionsMax: .*whole number, not text/],
  ["limits:\n  connectionsMax: 1.5\n", /:2:19 .*whole number, not a number with a fraction/],
  ["limits:\n  connectionsMax: 0\n", /:2:19 limits\.connectionsMax: must be at least 1$/],
  ["limits:\n  topicAliasMax: 65536\n", /:2:18 limits\.topicAliasMax: must be at most 65535$/],
  ["limits: 3\n", /:1:9 limits: expected keys with values, not a whole number/],
  ["listen: mqtt://127.0.0.1\n", /:1:9 listen: expected a list, not text/],
  ["listen: []\n", /:1:9 listen: must not be empty/],
  ["listen:\n  - http://x\n", /:2:5 listen\[0\]: cannot listen on "http:\/\/x"/],
  ["queueDrop: newst\n", /:1:12 queueDrop: expected one of newest, oldest; did you mean newest/],
  ["logLevel:\n", /:1:10 logLevel: is empty; expected one of debug/],
  ["allowAnonymous: yes\n", /:1:17 allowAnonymous: expected true or false, not text/],
  [`${ada}    rights: "#"\nallowAnonymous: true\n`, /:5:17 allowAnonymous: .*anonymous\.rights/],
  [ada, /:2:5 users\[0\]\.rights: is missing; expected text or a list/],
  ["users:\n  - rights: a\n", /:2:5 users\[0\]\.name: is missing/],
  ["users:\n  - { name: a, rights: a }\n", /:2:5 users\[0\]: needs exactly one of passwordHash/],
  [`${ada}    password: x\n    rights: a\n`, /:2:5 users\[0\]: needs exactly one of passwordHash/],
  [
    "users: [{ name: a, password: 1, rights: a }]\n",
    /:1:30 .*password: expected text, not a whole/,
  ],
  ["users: [{ name: a, password: '', rights: a }]\n", /:1:30 users\[0\]\.password: is empty/],
  [`users: [{ name: a, password: "${hash}", rights: a }]\n`, /:1:30 .*write it as passwordHash/],
  ["users: [{ name: a, passwordHash: x, rights: a }]\n", /:1:34 .*not an argon2id hash/],
  ["users: [{ name: a, passwordFile: none, rights: a }]\n", /:1:34 .*none: no such file or dir/],
  [`${ada}    rights: a/#/b\n`, /:4:13 users\[0\]\.rights: is not a topic filter/],
  [`${ada}    rights: [#]\n  ]\n`, /:4:13 users\[0\]\.rights: is empty|:\d:\d/],
  [`${ada}    rights:\n      - #\n`, /:5:9 users\[0\]\.rights\[0\]: is empty; .*needs quotes/],
  [
    `${ada}    rights:\n      - ok\n      - filter: a\n`,
    /:6:9 .*rights\[1\]: needs either allow or/,
  ],
  [`${ada}    rights: [{ allow: pub, filter: a }]\n`, /:4:23 .*\.allow: expected one of publish/],
  [`${ada}    rights: [{ allow: both, filtr: a }]\n`, /:4:29 .*\.filtr: .*did you mean filter\?/],
  [
    `${ada}    rights: [{ allow: publish, filter: $SYS/a }]\n`,
    /filter: is for subscribe only: nobody may publish to/,
  ],
  ["users:\n  - { name: a/b, password: x, rights: '%u/#' }\n", /:2:13 users\[0\]\.name: holds/],
];

test("configuration: each mistake is named with its line and column", () => {
  for (const [yaml, expected] of mistakes) {
    const lines = loadMistakes(yaml);
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} is not in\n${lines.join("\n")}\nfor\n${yaml}`,
    );
  }
});

test("configuration: all mistakes are named at once, none with a password", () => {
  const yaml = "users: [{ name: 1, password: [geheim], rights: a }]\nlogLevl: x\nqueueDrop: x\n";
  const lines = loadMistakes(yaml);
  assert.equal(lines.length, 4);
  assert.doesNotMatch(lines.join(), /geheim/);
});

test("configuration: two users of one name", () => {
  const user = "{ name: ada, password: x, rights: a }";
  assert.deepEqual(loadMistakes(`users:\n  - ${user}\n  - ${user}\n`), [
    "tserve.yaml:3:13 users[1].name: is that of users[0] too",
  ]);
});

test("configuration: a file that cannot be read", () => {
  for (const [file, expected] of [
    [join(folder, "missing.yaml"), /^cannot read .*missing\.yaml: no such file or directory$/],
    [folder, /^cannot read .*: illegal operation on a directory$/],
  ] as const) {
    assert.match(loadMistakes("", { file })[0], expected);
  }
});

test("configuration: nothing given is the defaults", () => {
  const { users, listeners, limits, warnings, logLevel } = load("");
  assert.deepEqual(
    listeners.map(({ url }) => url),
    ["mqtt://127.0.0.1:1883"],
  );
  assert.deepEqual(limits, defaultLimits);
  assert.equal(logLevel, "info");
  assert.deepEqual(users, []);
  assert.deepEqual(listeners[0].anonymous, { accepted: "whileNoUsers", rights: undefined });
  assert.deepEqual(warnings, []);
});

test("configuration: flags win over the environment, it wins over the file, it over the defaults", () => {
  const yaml = "logLevel: warn\nlogFormat: json\nqueueDrop: oldest\n";
  const environment = { TSTACK_LOG_LEVEL: "error", TSTACK_LOG_FORMAT: "pretty" };
  const flags = [{ name: "--log-level", path: ["logLevel"], value: "debug" }];
  const { logLevel, logFormat, queueDrop, sysTopicsSeconds } = load(yaml, { environment, flags });
  assert.deepEqual(
    [logLevel, logFormat, queueDrop, sysTopicsSeconds],
    ["debug", "pretty", "oldest", 10],
  );
});

test("configuration: the folder is relative to the file that names it, and to where tserve runs otherwise", () => {
  const environment = { TSTACK_DATA: "from-variable" };
  assert.equal(load("data: inside/x\n").data, join(folder, "inside/x"));
  assert.equal(load("data: /absolute\n").data, "/absolute");
  assert.equal(load("").data, "./tstack-data");
  assert.equal(load("data: inside\n", { environment }).data, "from-variable");
  assert.match(loadMistakes("data: ''\n")[0], /^tserve\.yaml:1:7 data: must not be empty$/);
  assert.match(loadMistakes("data: 7\n")[0], /data: expected text, not a whole number/);
});

test("configuration: --memory is short for --durability memory", () => {
  const flags = toOverrides({ memory: true });
  assert.equal(load("durability: os\n").durability, "os");
  assert.equal(load("durability: os\n", { flags }).durability, "memory");
  assert.equal(load("").durability, "fsync");
});

test("configuration: every key has its own variable", () => {
  const variables = listSettings().map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  assert.ok(variables.includes("TSTACK_LIMITS_PACKET_BYTES_MAX"));
  assert.ok(variables.includes("TSTACK_USERS_*_PASSWORD_FILE"));
});

test("configuration: variables as numbers, lists, YAML, indices and files", () => {
  const environment = {
    TSTACK_LISTEN: "mqtt://127.0.0.1:1, unix:///tmp/x",
    TSTACK_LIMITS_PACKET_BYTES_MAX: "1000",
    TSTACK_ALLOW_ANONYMOUS: "true",
    TSTACK_ANONYMOUS_RIGHTS: "a,b/#",
    TSTACK_USERS: '[{"name": "ada", "password": "x", "rights": "#"}]',
    TSTACK_USERS_1_NAME: "bob",
    TSTACK_USERS_1_PASSWORD_FILE: write("from a file\n", "secret"),
    TSTACK_USERS_1_RIGHTS_FILE: write("[{ deny: both, filter: x }]", "rights"),
    TSTACK_LOG_LEVEL: "",
    OTHER: "x",
  };
  const configuration = loadConfiguration({ environment, flags: [] });
  const { users, listeners } = configuration;
  assert.deepEqual(
    listeners.map(({ url }) => url),
    ["mqtt://127.0.0.1:1", "unix:///tmp/x"],
  );
  assert.equal(configuration.limits.packetBytesMax, 1000);
  assert.equal(configuration.logLevel, "info");
  assert.deepEqual(
    listeners[1].anonymous.rights?.map((right) => right.filter),
    ["a", "b/#"],
  );
  assert.deepEqual(
    users.map(({ name, credential }) => [name, credential]),
    [
      ["ada", { password: "x" }],
      ["bob", { password: "from a file" }],
    ],
  );
  const [right] = users[1].rights;
  assert.equal(right.effect, "deny");
  assert.equal(right.place, "TSTACK_USERS_1_RIGHTS_FILE");
});

test("configuration: mistakes in variables and flags name them", () => {
  const environment = {
    TSTACK_LISTN: "x",
    TSTACK_LIMITS_SESSIONS_MAX: "many",
    TSTACK_LOG_FORMAT_FILE: join(folder, "missing"),
    TSTACK_USERS: "[{",
    TSTACK_SYS_TOPICS_SECONDS: "-1",
  };
  const flags = [{ name: "--listen", path: ["listen"], value: [7] }];
  const lines = loadMistakes("", { environment, flags });
  for (const expected of [
    /^TSTACK_LISTN: unknown variable; did you mean TSTACK_LISTEN\?$/,
    /^TSTACK_LIMITS_SESSIONS_MAX limits\.sessionsMax: expected a whole number, not text$/,
    /^TSTACK_LOG_FORMAT_FILE: .*missing: no such file or directory$/,
    /^TSTACK_USERS: Flow map/,
    /^TSTACK_SYS_TOPICS_SECONDS sysTopicsSeconds: must be at least 0$/,
    /^--listen listen\[0\]: expected text or keys with values, not a whole number$/,
  ]) {
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} is not in\n${lines.join("\n")}`,
    );
  }
  assert.equal(lines.length, 6);
});

test("configuration: what is probably not meant is a warning", () => {
  const yaml =
    "users:\n  - name: ada\n    password: geheim\n    rights: a\nanonymous: { rights: a }\n";
  const { warnings } = load(yaml, { environment: { TSTACK_SOMETHING: "1" } });
  assert.equal(warnings.length, 3);
  assert.match(warnings[0], /^TSTACK_SOMETHING is not a setting of tserve$/);
  assert.match(warnings[2], /^users\[0\] has its password in clear \(tserve\.yaml:3\)/);
  assert.match(warnings[1], /^anonymous\.rights has no effect \(tserve\.yaml:5\)/);
  assert.doesNotMatch(warnings.join(), /geheim/);
});

test("configuration: password files hold a password or a hash, beside the configuration", () => {
  write(`${hash}\r\n`, "hashed");
  write("two\nlines\n", "two");
  write("\n", "nothing");
  const user = (file: string) => `users: [{ name: a, passwordFile: ${file}, rights: a }]\n`;
  assert.ok("hash" in (load(user("hashed")).users[0].credential ?? {}));
  assert.match(loadMistakes(user("two"))[0], /has more than one line$/);
  assert.match(loadMistakes(user("nothing"))[0], /is empty$/);
});

test("configuration: rights know their entry and line", () => {
  const { users } = load(
    `${ada}    rights:\n      - "#"\n      - deny: publish\n        filter: x\n`,
  );
  assert.deepEqual(users[0].rights, [
    {
      effect: "allow",
      action: "both",
      filter: "#",
      source: "users[0].rights[0]",
      place: "tserve.yaml:5",
    },
    {
      effect: "deny",
      action: "publish",
      filter: "x",
      source: "users[0].rights[1]",
      place: "tserve.yaml:6",
    },
  ]);
  assert.equal(users[0].source, "users[0] (tserve.yaml:2)");
});
