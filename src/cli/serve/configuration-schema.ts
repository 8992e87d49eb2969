/**
 * Every key of tserve's configuration: its shape, its default and what it is for, in one place. The check of files, the
 * environment variables, `docs/tserve.schema.json` and the table of `docs/configuration.md` are made from it.
 */
import { z } from "zod";
import { defaultLimits, type Limits } from "../../base/index.ts";
import type { Durability } from "../../broker/index.ts";
import type { ConfigurationPath } from "./configuration-path.ts";
import { authenticationSchema } from "./configuration-schema-authentication.ts";
import { listenSchema, refusedPublishSchema, tlsSchema } from "./configuration-schema-listen.ts";
import { filePath, limitWithDefault } from "./configuration-schema-parts.ts";
import { anonymousSchema, userSchema } from "./configuration-schema-rights.ts";

const limitNames = Object.keys(defaultLimits) as (keyof Limits)[];
const limitShape = Object.fromEntries(
  limitNames.map((name) => [name, limitWithDefault(name)]),
) as Record<keyof Limits, ReturnType<typeof limitWithDefault>>;

export const durabilities = ["fsync", "os", "memory"] as const satisfies readonly Durability[];
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export const logFormats = ["auto", "pretty", "json"] as const;

export const configurationSchema = z
  .strictObject({
    listen: listenSchema
      .default(["mqtt://127.0.0.1:1883"])
      .describe("Where to listen: URLs, or a list of URLs with what is particular to each."),
    tls: tlsSchema
      .optional()
      .describe("The encryption of every mqtts and wss listener that has none of its own."),
    allowAnonymous: z
      .boolean()
      .optional()
      .describe(
        "Accept clients without a user name. Without users they are accepted on loopback addresses only, with users nowhere, until this is true.",
      ),
    anonymous: anonymousSchema.optional(),
    users: z
      .array(userSchema)
      .default([])
      .describe("Who may connect, and what they may do; `tuser` adds others while it runs."),
    authentication: authenticationSchema
      .prefault({})
      .describe("Who else decides who comes in, and what happens to those who guess passwords."),
    refusedPublish: refusedPublishSchema
      .default("acknowledge")
      .describe(
        "What a 3.x client gets that publishes what it may not, as it can be told nothing: an acknowledgement without delivery, or the end of its connection.",
      ),
    data: filePath()
      .default("./tstack-data")
      .describe(
        "The folder in which the broker keeps sessions, queues, retained messages and users.",
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

/** A configuration whose shape is right; what it means is checked when it is read further. */
export type ConfigurationShape = z.output<typeof configurationSchema>;

/** JSON Schema as far as this one uses it. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  /** `path` is one of the file system. */
  readonly format?: string;
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
