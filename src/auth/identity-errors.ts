/** What is told to people who ask for a user or a role that is not there, is there already, or is not theirs to change. */
import { TstackError } from "../base/index.ts";
import { nameOwner } from "./identity-checks.ts";

export function unknownUser(name: string): TstackError {
  return new TstackError("USER_UNKNOWN", `there is no ${nameOwner("user", name)}`);
}

export function unknownRole(name: string): TstackError {
  const remedy = "make it first with `tuser role add`";
  return new TstackError("ROLE_UNKNOWN", `there is no ${nameOwner("role", name)}; ${remedy}`);
}

/** `source` says where: `users[2] (tserve.yaml:12)`. */
export function configuredUser(name: string, source: string): TstackError {
  const words = `${nameOwner("user", name)} stands in the configuration, ${source}`;
  return new TstackError("USER_CONFIGURED", `${words}; change it there and start the broker anew`);
}

export function existingUser(name: string): TstackError {
  return new TstackError("USER_EXISTS", `there is a ${nameOwner("user", name)} already`);
}

export function existingRole(name: string): TstackError {
  return new TstackError("ROLE_EXISTS", `there is a ${nameOwner("role", name)} already`);
}

export function roleInUse(name: string, users: readonly string[]): TstackError {
  const told = users.slice(0, 5).map((user) => JSON.stringify(user));
  if (users.length > told.length) told.push(`${users.length - told.length} more`);
  const words = `${nameOwner("role", name)} is that of ${told.join(", ")}`;
  return new TstackError("ROLE_IN_USE", `${words}; take it from them first`);
}

export function brokenRecord(kind: "user" | "role", name: string, fault: string): TstackError {
  const remedy = kind === "user" ? "remove it and add it anew" : "import it anew";
  const words = `${nameOwner(kind, name)} is broken in the store (${fault})`;
  return new TstackError("USER_INVALID", `${words}; ${remedy}`);
}
