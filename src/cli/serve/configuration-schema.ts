/**
 * Every key of tserve's configuration: its shape, its default and what it is for, in one place. The check of files, the
 * environment variables, `docs/tserve.schema.json` and the table of `docs/configuration.md` are made from it.
 */
import { z } from "zod";
import { boundsOfLimit, defaultLimits, type Limits } from "../../base/index.ts";
import type { Durability } from "../../broker/index.ts";
import type { ConfigurationPath } from "./configuration-path.ts";

/** What each of them is for is told by `src/base/limits.ts`, from where the pages take it. */
function limitSchema(name: keyof Limits) {
  const [least, most] = boundsOfLimit(name);
  return z.int().min(least).max(most).default(defaultLimits[name]);
}

const limitNames = Object.keys(defaultLimits) as (keyof Limits)[];
const limitShape = Object.fromEntries(
  limitNames.map((name) => [name, limitSchema(name)]),
) as Record<keyof Limits, ReturnType<typeof limitSchema>>;

const actionSchema = z.enum(["publish", "subscribe", "both"]);

const rightSchema = z.strictObject({
  allow: actionSchema.optional().describe("What the right allows. Either this or deny."),
  deny: actionSchema.optional().describe("What the right forbids. Either this or allow."),
  filter: z
    .string()
    .describe("A topic filter; %c is the client identifier in it, %u the user name."),
});

const rightsSchema = z.union([z.string(), z.array(z.union([z.string(), rightSchema]))]);

const userSchema = z.strictObject({
  name: z.string().min(1).describe("The user name that clients give."),
  passwordHash: z
    .string()
    .optional()
    .describe("An argon2id hash of the password, as `tserve hash-password` prints it."),
  passwordFile: z
    .string()
    .optional()
    .describe("A file that holds the password or its hash; relative to the configuration file."),
  password: z.string().optional().describe("The password as it is. Better: passwordHash."),
  rights: rightsSchema.describe(
    "One filter, or a list of filters and rights. A filter alone allows to publish and subscribe.",
  ),
});

const anonymousSchema = z.strictObject({
  rights: rightsSchema.describe(
    "What clients without a user name may do. Without users, all topics and reading $SYS/#.",
  ),
});

export const durabilities = ["fsync", "os", "memory"] as const satisfies readonly Durability[];
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export const logFormats = ["auto", "pretty", "json"] as const;

export const configurationSchema = z
  .strictObject({
    listen: z
      .array(z.string())
      .min(1)
      .default(["mqtt://127.0.0.1:1883"])
      .describe("Where to listen: mqtt://host:port, ws://host:port/path, unix:///path."),
    allowAnonymous: z
      .boolean()
      .optional()
      .describe(
        "Accept clients without a user name. Without users they are accepted on loopback addresses only, with users nowhere, until this is true.",
      ),
    anonymous: anonymousSchema.optional(),
    users: z.array(userSchema).default([]).describe("Who may connect, and what they may do."),
    data: z
      .string()
      .min(1)
      .default("./tstack-data")
      .describe(
        "The folder in which the broker keeps sessions, queues and retained messages. In the file it is relative to the file; the variable, the option and the default are relative to the working folder.",
      ),
    durability: z
      .enum(durabilities)
      .default("fsync")
      .describe(
        "What an acknowledged message survives: fsync a power cut, os the end of the process, memory neither (and data is not used).",
      ),
    limits: z
      .strictObject(limitShape)
      .prefault({})
      .describe("What the broker bears; docs/limits.md tells what happens at each limit."),
    queueDrop: z
      .enum(["newest", "oldest"])
      .default("newest")
      .describe("Which message is dropped when a session's queue is full."),
    sysTopicsSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(10)
      .describe("Seconds between two publications of $SYS/broker/...; 0 turns them off."),
    logLevel: z.enum(logLevels).default("info").describe("The least that is logged."),
    logFormat: z
      .enum(logFormats)
      .default("auto")
      .describe("How it is logged; auto is pretty on a terminal and json elsewhere."),
  })
  .describe("The configuration of tserve, the MQTT broker of tStack.");

/** A configuration whose shape is right; what it means is checked in `configuration-meaning.ts`. */
export type ConfigurationShape = z.output<typeof configurationSchema>;

/** JSON Schema as far as this one uses it. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The schema for editors: draft 7 is what they read. */
export function writeJsonSchema(): JsonSchema {
  return z.toJSONSchema(configurationSchema, { target: "draft-7", io: "input" }) as JsonSchema;
}

/** The keys that there may be below `path`, for "did you mean". */
export function listKeysAt(path: ConfigurationPath): string[] {
  let schemas: readonly JsonSchema[] = [writeJsonSchema()];
  for (const key of path) {
    schemas = schemas
      .flatMap(
        (schema) => (typeof key === "number" ? schema.items : schema.properties?.[key]) ?? [],
      )
      .flatMap((schema) => [schema, ...(schema.anyOf ?? [])]);
  }
  return schemas.flatMap((schema) => Object.keys(schema.properties ?? {}));
}
