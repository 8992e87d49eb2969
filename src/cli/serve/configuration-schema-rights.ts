/** The keys of tserve's configuration that say who may do what: users, their rights, and those of anonymous clients. */
import { z } from "zod";
import { filePath } from "./configuration-schema-parts.ts";

const actionSchema = z.enum(["publish", "subscribe", "both"]);

const ruleSchema = z.strictObject({
  allow: actionSchema.optional().describe("What the right allows. Either this or deny."),
  deny: actionSchema.optional().describe("What the right forbids. Either this or allow."),
  filter: z
    .string()
    .describe("A topic filter; %c is the client identifier in it, %u the user name."),
  qos: z
    .array(z.literal([0, 1, 2]))
    .min(1)
    .optional()
    .describe("The right applies to these QoS only."),
  retain: z
    .boolean()
    .optional()
    .describe("The right applies to messages with (or without) the retain flag only."),
});

const rightsSchema = z.union([z.string(), z.array(z.union([z.string(), ruleSchema]))]);

export type RightsShape = z.output<typeof rightsSchema>;

export const userSchema = z.strictObject({
  name: z.string().min(1).describe("The user name that clients give."),
  passwordHash: z
    .string()
    .optional()
    .describe(
      "A hash of the password, as `tserve hash-password` prints it (argon2id); bcrypt and mosquitto's hashes are taken too.",
    ),
  passwordFile: filePath().optional().describe("A file that holds the password or its hash."),
  password: z.string().optional().describe("The password as it is. Better: passwordHash."),
  rights: rightsSchema.describe(
    "One filter, or a list of filters and rights. A filter alone allows to publish and subscribe.",
  ),
});

export const anonymousSchema = z.strictObject({
  rights: rightsSchema.describe(
    "What clients without a user name may do. Without users, all topics and reading $SYS/#.",
  ),
});
