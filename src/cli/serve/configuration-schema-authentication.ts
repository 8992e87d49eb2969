/** The keys that say who decides who a client is, besides the list of users. */
import { z } from "zod";
import { certificateNames, defaultAttemptGuardSettings, jwtAlgorithms } from "../../auth/index.ts";
import { chainSchema } from "./configuration-schema-listen.ts";
import { filePath } from "./configuration-schema-parts.ts";

const certificateSchema = z.strictObject({
  userName: z
    .enum(certificateNames)
    .default("cn")
    .describe(
      "What of a client's certificate names the user: its common name, or an alternative name.",
    ),
});

const textsSchema = z.union([z.string(), z.array(z.string()).min(1)]);

const jwtSchema = z.strictObject({
  secretFile: filePath()
    .optional()
    .describe("The secret of HS256 and its like, 32 bytes at least. Or jwksFile, or jwksUrl."),
  jwksFile: filePath().optional().describe("The public keys, as a JSON Web Key Set."),
  jwksUrl: z
    .string()
    .optional()
    .describe("Where the issuer of tokens shows its public keys. Needs audience."),
  allowUnencrypted: z.boolean().optional().describe("Let jwksUrl be http:// of another machine."),
  algorithms: z
    .array(z.enum(jwtAlgorithms))
    .min(1)
    .optional()
    .describe("Which are accepted. Without: HS256 with a secret, all others with public keys."),
  issuer: textsSchema.optional().describe("The claim iss is one of these."),
  audience: textsSchema.optional().describe("The claim aud holds one of these."),
  clockToleranceSeconds: z
    .int()
    .min(0)
    .max(3600)
    .optional()
    .describe("How far the clocks of issuer and broker may be apart; 5 without."),
  userNameClaim: z.string().min(1).optional().describe("The claim of the user name; sub without."),
  clientIdentifierClaim: z
    .string()
    .min(1)
    .optional()
    .describe("A claim that must be the client identifier."),
  rightsClaim: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The claim with filters and rights; rights without. A token that has none gets those of the user of its name.",
    ),
});

const httpSchema = z.strictObject({
  url: z.string().describe("The service that is asked: https://users.example.org/mqtt."),
  allowUnencrypted: z.boolean().optional().describe("Let url be http:// of another machine."),
  secretFile: filePath()
    .optional()
    .describe("What the service knows the broker by: sent as Authorization: Bearer ..."),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(60)
    .optional()
    .describe("From the login to the answer; beyond, it is refused. 5 without."),
  questionsMax: z.int().min(1).max(1000).optional().describe("Asked at one time; 50 without."),
  waitingMax: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe("Logins that wait; beyond, clients are told that the broker is busy. 1000 without."),
  allowCacheSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe("How long a yes counts that says nothing of it; 60 without."),
  denyCacheSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe("How long a no counts that says nothing of it; 5 without."),
});

/** Of the guard's settings those that somebody may want otherwise. */
const bansSchema = z.strictObject({
  failuresBeforeDelayMax: z
    .int()
    .min(1)
    .max(1000)
    .default(defaultAttemptGuardSettings.failuresBeforeDelayMax)
    .describe(
      "Failed logins of an address or a user name that are answered at once; further ones wait.",
    ),
  failuresBeforeBanMax: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(defaultAttemptGuardSettings.failuresBeforeBanMax)
    .describe("The failed login that makes so many begins a ban."),
  failureSecondsMax: z
    .int()
    .min(1)
    .max(86_400)
    .default(defaultAttemptGuardSettings.failureSecondsMax)
    .describe("How long a failed login counts."),
  banSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(defaultAttemptGuardSettings.banSeconds)
    .describe("How long a ban lasts; `tuser` shows and lifts them."),
});

export const authenticationSchema = z.strictObject({
  chain: chainSchema
    .optional()
    .describe(
      "Who is asked, in this order. Without: certificate where the listener asks for it, jwt where it is configured, users, http where it is configured, anonymous.",
    ),
  certificate: certificateSchema.prefault({}),
  jwt: jwtSchema.optional().describe("JSON Web Tokens, as the password or by AUTH of MQTT 5.0."),
  bans: bansSchema.prefault({}).describe("What happens to those who guess passwords."),
  http: httpSchema.optional().describe("A service of yours that knows who clients are."),
});
