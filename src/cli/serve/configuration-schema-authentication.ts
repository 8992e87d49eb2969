/** The keys that say who decides who a client is, besides the list of users. */
import { z } from "zod";
import { chainSchema } from "./configuration-schema-listen.ts";

const certificateSchema = z.strictObject({
  userName: z
    .enum(["cn", "san"])
    .default("cn")
    .describe("What of a client's certificate is its user name: cn or san."),
});

export const authenticationSchema = z.strictObject({
  chain: chainSchema
    .optional()
    .describe(
      "Who is asked, in this order. Without: users, certificate where the listener asks for it, jwt and http where they are configured, anonymous.",
    ),
  certificate: certificateSchema.prefault({}),
});
