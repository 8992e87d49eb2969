/**
 * The users of a configuration whose shape is right, as `auth/` takes them. Reads the files of passwords. A list that would
 * not do what its author meant is a mistake here, not a surprise later.
 */
import { readFileSync } from "node:fs";
import { type ConfiguredUser, type Credential, parsePasswordHash } from "../../auth/index.ts";
import { describeCause } from "./configuration-file.ts";
import { knowsOthers, type ListenerConfiguration } from "./configuration-listeners.ts";
import type { Findings, Mistake } from "./configuration-mistake.ts";
import { type ConfigurationPath, describePath } from "./configuration-path.ts";
import { readRights } from "./configuration-rights.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";

type UserShape = ConfigurationShape["users"][number];

export function readUsers(
  shapes: readonly UserShape[],
  listeners: readonly Pick<ListenerConfiguration, "chain">[],
  findings: Findings,
): ConfiguredUser[] {
  findDoubleNames(shapes, findings.mistakes);
  const mayLackPassword = listeners.some(({ chain }) => knowsOthers(chain));
  return shapes.map((user, index) => {
    const path = ["users", index];
    if (!mayLackPassword) requirePassword(user, path, findings);
    return readUser(user, path, findings);
  });
}

/** Where nothing else proves who it is, a user without a password could never come in. */
function requirePassword(user: UserShape, path: ConfigurationPath, { mistakes }: Findings): void {
  const { password, passwordHash, passwordFile } = user;
  if (password !== undefined || passwordHash !== undefined || passwordFile !== undefined) return;
  const message = "needs exactly one of passwordHash, passwordFile and password";
  mistakes.push({ path, message });
}

function findDoubleNames(users: readonly UserShape[], mistakes: Mistake[]): void {
  const firstIndex = new Map<string, number>();
  for (const [index, { name }] of users.entries()) {
    const first = firstIndex.get(name);
    if (first === undefined) firstIndex.set(name, index);
    else
      mistakes.push({ path: ["users", index, "name"], message: `is that of users[${first}] too` });
  }
}

function readUser(user: UserShape, path: ConfigurationPath, findings: Findings): ConfiguredUser {
  const rights = readRights(user.rights, [...path, "rights"], findings);
  for (const right of rights) {
    // The name is known now, so a right that could never apply need not wait for its user to notice.
    if (right.filter.includes("%u") && /[+#/]/.test(user.name)) {
      const message = "holds + # or /, so the rights with %u would never apply";
      findings.mistakes.push({ path: [...path, "name"], message });
      break;
    }
  }
  return {
    name: user.name,
    credential: readCredential(user, path, findings),
    rights,
    source: `${describePath(path)} (${findings.locateLine(path)})`,
  };
}

function readCredential(
  user: UserShape,
  path: ConfigurationPath,
  { mistakes, warnings, locateLine }: Findings,
): Credential | undefined {
  const { password, passwordHash, passwordFile } = user;
  const given = [password, passwordHash, passwordFile].filter((value) => value !== undefined);
  if (given.length === 0) return undefined;
  if (given.length > 1) {
    const message = "needs exactly one of passwordHash, passwordFile and password";
    mistakes.push({ path, message });
    return undefined;
  }
  const key =
    passwordHash !== undefined
      ? "passwordHash"
      : passwordFile !== undefined
        ? "passwordFile"
        : "password";
  try {
    if (passwordFile !== undefined) return readPasswordFile(passwordFile);
    if (passwordHash !== undefined) return { hash: parsePasswordHash(passwordHash) };
    if (password !== undefined && isHash(password))
      throw new Error("is a hash; write it as passwordHash");
    if (password === "") throw new Error("is empty; nobody can log in with an empty password");
    warnings.push(
      `${describePath(path)} has its password in clear (${locateLine([...path, key])}); ` +
        "better is a passwordHash, which `tserve hash-password` makes",
    );
    return { password: password ?? "" };
  } catch (error) {
    mistakes.push({ path: [...path, key], message: describeCause(error) });
    return undefined;
  }
}

/** A secret as container engines mount it: a password or a hash, with or without a line's end. */
function readPasswordFile(file: string): Credential {
  const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (text === "") throw new Error(`${file} is empty`);
  if (text.includes("\n")) throw new Error(`${file} has more than one line`);
  return isHash(text) ? { hash: parsePasswordHash(text) } : { password: text };
}

/** Of argon2, bcrypt or mosquitto. */
function isHash(text: string): boolean {
  return /^\$(argon2\w*|2[abxy]|[67])\$/.test(text);
}
