/**
 * The users, their passwords and rights of a configuration whose shape is right, as `auth/` takes them. Reads the files of
 * passwords. A list that would not do what its author meant is a mistake here, not a surprise later.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type AnonymousRights,
  type Credential,
  findMistakeInRight,
  parsePasswordHash,
  type Right,
  type User,
  type UserListEntries,
} from "../../auth/index.ts";
import { describeCause } from "./configuration-file.ts";
import type { Mistake } from "./configuration-mistake.ts";
import { type ConfigurationPath, describePath } from "./configuration-path.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";

export interface UserListSource {
  /** What relative paths of password files are relative to. */
  readonly folder: string;
  /** `tserve.yaml:14` or the variable that said it. */
  locateLine(path: ConfigurationPath): string;
}

export interface ReadUserList extends UserListEntries {
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
}

type UserShape = ConfigurationShape["users"][number];
type RightsShape = UserShape["rights"];

/** Gathers what is found while the list is read. */
interface Findings {
  readonly source: UserListSource;
  readonly mistakes: Mistake[];
  readonly warnings: string[];
}

export function readUserList(shape: ConfigurationShape, source: UserListSource): ReadUserList {
  const findings: Findings = { source, mistakes: [], warnings: [] };
  const users = shape.users.map((user, index) => readUser(user, ["users", index], findings));
  findDoubleNames(shape.users, findings.mistakes);
  const anonymous = readAnonymous(shape, findings);
  return { users, anonymous, mistakes: findings.mistakes, warnings: findings.warnings };
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

function readUser(user: UserShape, path: ConfigurationPath, findings: Findings): User {
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
    credential: readCredential(user, path, findings) ?? { password: "" },
    rights,
    source: `${describePath(path)} (${findings.source.locateLine(path)})`,
  };
}

function readCredential(
  user: UserShape,
  path: ConfigurationPath,
  { source, mistakes, warnings }: Findings,
): Credential | undefined {
  const { password, passwordHash, passwordFile } = user;
  const given = [password, passwordHash, passwordFile].filter((value) => value !== undefined);
  if (given.length !== 1) {
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
    if (passwordFile !== undefined) return readPasswordFile(resolve(source.folder, passwordFile));
    if (passwordHash !== undefined) return { hash: parsePasswordHash(passwordHash) };
    if (password?.startsWith("$argon2")) throw new Error("is a hash; write it as passwordHash");
    if (password === "") throw new Error("is empty; nobody can log in with an empty password");
    warnings.push(
      `${describePath(path)} has its password in clear (${source.locateLine([...path, key])}); ` +
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
  return text.startsWith("$argon2") ? { hash: parsePasswordHash(text) } : { password: text };
}

function readRights(shape: RightsShape, path: ConfigurationPath, findings: Findings): Right[] {
  if (typeof shape === "string") return [readRight(shape, path, findings)];
  return shape.map((right, index) => readRight(right, [...path, index], findings));
}

function readRight(
  shape: Exclude<RightsShape, readonly unknown[]> | Exclude<RightsShape, string>[number],
  path: ConfigurationPath,
  { source, mistakes }: Findings,
): Right {
  const { allow, deny, filter } =
    typeof shape === "string" ? { allow: "both" as const, deny: undefined, filter: shape } : shape;
  const action = deny ?? allow ?? "both";
  if ((allow === undefined) === (deny === undefined)) {
    mistakes.push({ path, message: "needs either allow or deny, with publish, subscribe or both" });
  }
  const mistake = findMistakeInRight({ action, filter });
  if (mistake !== undefined) {
    const filterPath = typeof shape === "string" ? path : [...path, "filter"];
    mistakes.push({ path: filterPath, message: mistake });
  }
  const effect = deny === undefined ? "allow" : "deny";
  return { effect, action, filter, source: describePath(path), place: source.locateLine(path) };
}

/** All topics, and reading what the broker says of itself: who is at the machine may know that. */
const openRights: readonly Right[] = [
  { effect: "allow", action: "both", filter: "#", source: "default rights of anonymous clients:" },
  {
    effect: "allow",
    action: "subscribe",
    filter: "$SYS/#",
    source: "default rights of anonymous clients:",
  },
];

function readAnonymous(shape: ConfigurationShape, findings: Findings): AnonymousRights | undefined {
  const { allowAnonymous, anonymous } = shape;
  const rights = anonymous && readRights(anonymous.rights, ["anonymous", "rights"], findings);
  if (shape.users.length === 0) {
    if (allowAnonymous === false) {
      const message = "is false and there are no users, so nobody could connect; add users";
      findings.mistakes.push({ path: ["allowAnonymous"], message });
    }
    const source = allowAnonymous ? "anonymous clients are allowed" : "no users are configured";
    return { rights: rights ?? openRights, source };
  }
  if (allowAnonymous !== true) {
    if (rights !== undefined) {
      findings.warnings.push(
        `anonymous.rights has no effect (${findings.source.locateLine(["anonymous"])}): ` +
          "with users, anonymous clients are refused until allowAnonymous is true",
      );
    }
    return undefined;
  }
  if (rights === undefined) {
    const message =
      'with users needs anonymous.rights: say what anonymous clients may do ("#": all)';
    findings.mistakes.push({ path: ["allowAnonymous"], message });
  }
  return { rights: rights ?? [], source: "anonymous clients are allowed" };
}
