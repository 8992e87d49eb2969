/**
 * The shapes of `api-types.ts` as schemas: what comes in is checked by them, what goes out holds nothing that they do not
 * name, and the OpenAPI document consists of them. The compiler holds both files together (`Same`).
 */
import { z } from "zod";
import type * as types from "./api-types.ts";

/** Names that the path of a URL can carry: programs take `.` and `..` in it for folders, however they are written. */
const name = z
  .string()
  .min(1)
  .max(256)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are kept out
  .regex(/^(?!\.{1,2}$)[^\u0000-\u001f\u007f]+$/)
  .describe("Any text without control characters, but not . or ..");
const password = z.string().min(1).max(65_535);
const hash = z.string().min(1).max(1000);
const topic = z.string().min(1).max(65_535);
const filter = z.string().min(1).max(65_535);
const milliseconds = z.int().min(0).describe("Milliseconds since 1970.");
const note = z.string().max(1000);
const action = z.enum(["publish", "subscribe"]);
const qos = z.literal([0, 1, 2]);
const ruleAction = z.enum(["publish", "subscribe", "both"]);
const names = z.array(name).max(1000);

const Rule = z
  .strictObject({
    allow: ruleAction.optional(),
    deny: ruleAction.optional(),
    filter: filter.describe("%c is the client identifier in it, %u the user name."),
    qos: z.array(qos).min(1).max(3).optional().describe("The rule applies to these QoS only."),
    retain: z.boolean().optional().describe("The rule applies with, or without, RETAIN only."),
  })
  .describe("Exactly one of allow and deny. Rules are ordered: the first that applies decides.");
const rules = z.array(Rule).max(10_000);

const user = {
  name,
  isEnabled: z.boolean(),
  hasPassword: z.boolean(),
  hasScram: z.boolean(),
  roles: names.describe("Asked after the user's own rules, in this order."),
  rules,
  origin: z
    .enum(["store", "configuration"])
    .describe("What is of the configuration may be changed in the file only."),
  createdAt: milliseconds.optional(),
  note: note.optional(),
};
const User = z.strictObject(user);

const Client = z.strictObject({
  clientIdentifier: z.string(),
  userName: z.string().optional(),
  isConnected: z.boolean(),
  remoteAddress: z.string().optional(),
});

const UserDetails = z.strictObject({
  ...user,
  clients: z.array(Client).describe("Its sessions. Empty where no broker runs."),
});

const newUser = {
  name,
  password: password.optional(),
  passwordHash: hash.optional().describe("argon2id, bcrypt, or mosquitto's $7$ and $6$."),
  scram: z.boolean().optional().describe("Also with SCRAM-SHA-256; needs password."),
  roles: names.optional(),
  rules: rules.optional(),
  isEnabled: z.boolean().optional(),
  note: note.optional(),
};
const NewUser = z
  .strictObject(newUser)
  .describe("With password, or passwordHash, or neither: then it comes in with a certificate.");

const NewPassword = z.strictObject({
  password: password.optional(),
  passwordHash: hash.optional(),
  scram: z.boolean().optional(),
});

const Enabling = z.strictObject({ isEnabled: z.boolean() });

const Role = z.strictObject({
  name,
  rules,
  users: z.int().min(0).describe("How many users have it."),
});
const NewRole = z.strictObject({ name, rules });

const place = z.int().min(0).max(10_000);
const Granting = z.strictObject({
  rules: rules.optional(),
  roles: names.optional(),
  at: place.optional().describe("Where the rules go: 0 is the first. Default: to the end."),
});
const Revoking = z
  .strictObject({
    filters: z.array(filter).max(1000).optional(),
    places: z.array(place).max(1000).optional(),
    roles: names.optional(),
  })
  .describe("All rules with one of the filters, those at the places (0 is the first), the roles.");

const ExportedUser = z.strictObject({
  ...newUser,
  createdAt: milliseconds.optional(),
  scramKeys: z.unknown().optional(),
});
const ExportedIdentities = z
  .strictObject({ users: z.array(ExportedUser), roles: z.array(NewRole) })
  .describe("With hashes: keep it as you keep passwords.");
const ImportOutcome = z.strictObject({ added: z.array(name), replaced: z.array(name) });

const ExplainQuestion = z.strictObject({
  user: name.optional().describe("Without it: anonymous clients."),
  action,
  topic: topic.describe("A topic, or to subscribe a filter."),
  clientIdentifier: z.string().max(65_535).optional().describe("Default: the user's name."),
  qos: qos.optional(),
  retain: z.boolean().optional(),
});
const Explanation = z.strictObject({
  allowed: z.boolean(),
  rule: z.string().describe("The rule that decides, and where it stands."),
  warning: z.string().optional().describe("What keeps the user out altogether."),
});
const WhoCanQuestion = z.strictObject({
  action,
  topic,
  qos: qos.optional(),
  retain: z.boolean().optional(),
});
const WhoCan = z.strictObject({
  user: name.optional().describe("Without it: anonymous clients."),
  rule: z.string(),
  condition: z.string().optional(),
});

const Ban = z.strictObject({
  subject: z.string(),
  kind: z.enum(["address", "user"]),
  failures: z.int().min(0),
  bannedUntil: milliseconds.optional().describe("Without it: watched and delayed, not banned."),
});

const registrationKey = {
  name,
  createdAt: milliseconds,
  expiresAt: milliseconds.optional(),
  usesLeft: z.int().min(0).optional().describe("Without it: any number."),
  uses: z.int().min(0),
  isRevoked: z.boolean(),
  role: name.optional().describe("Without it each device gets the rule Name/#."),
};
const RegistrationKey = z.strictObject(registrationKey);
const NewRegistrationKey = z.strictObject({
  name,
  expiresAt: milliseconds.optional(),
  usesMax: z.int().min(1).optional(),
  role: name.optional(),
});
const MadeRegistrationKey = z
  .strictObject({ ...registrationKey, key: z.string() })
  .describe("The key is told once and kept nowhere.");
const Registration = z.strictObject({ key: z.string().min(1).max(1000) });
const Registered = z.strictObject({ name, password: z.string(), keyName: name });

const Problem = z
  .strictObject({ code: z.string(), message: z.string() })
  .describe("What went wrong: code is stable (docs/errors.md), message is for people.");

/** What the schemas must have: all keys of the types, with values that the types allow. */
type SchemasOf<Types> = {
  [Name in keyof Types]: z.ZodType<Types[Name]> & {
    readonly shape: Readonly<Record<keyof Types[Name], unknown>>;
  };
};

interface Types {
  readonly Rule: types.Rule;
  readonly User: types.User;
  readonly Client: types.Client;
  readonly UserDetails: types.UserDetails;
  readonly NewUser: types.NewUser;
  readonly NewPassword: types.NewPassword;
  readonly Enabling: types.Enabling;
  readonly Role: types.Role;
  readonly NewRole: types.NewRole;
  readonly Granting: types.Granting;
  readonly Revoking: types.Revoking;
  readonly ExportedIdentities: types.ExportedIdentities;
  readonly ImportOutcome: types.ImportOutcome;
  readonly ExplainQuestion: types.ExplainQuestion;
  readonly Explanation: types.Explanation;
  readonly WhoCanQuestion: types.WhoCanQuestion;
  readonly WhoCan: types.WhoCan;
  readonly Ban: types.Ban;
  readonly RegistrationKey: types.RegistrationKey;
  readonly NewRegistrationKey: types.NewRegistrationKey;
  readonly MadeRegistrationKey: types.MadeRegistrationKey;
  readonly Registration: types.Registration;
  readonly Registered: types.Registered;
  readonly Problem: types.Problem;
}

const schemas = {
  Rule,
  User,
  Client,
  UserDetails,
  NewUser,
  NewPassword,
  Enabling,
  Role,
  NewRole,
  Granting,
  Revoking,
  ExportedIdentities,
  ImportOutcome,
  ExplainQuestion,
  Explanation,
  WhoCanQuestion,
  WhoCan,
  Ban,
  RegistrationKey,
  NewRegistrationKey,
  MadeRegistrationKey,
  Registration,
  Registered,
  Problem,
} satisfies SchemasOf<Types>;

export type SchemaName = keyof typeof schemas;

/** All of them as JSON Schema, each with its name as `$id`. */
export function toJsonSchemas(): readonly object[] {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const converted = z.toJSONSchema(registry, { target: "draft-7", uri: (id) => `${id}#` }).schemas;
  return Object.entries(converted).map(([id, { $schema, ...schema }]) => ({ ...schema, $id: id }));
}
