/** The keys of one listener: where it listens, how it is encrypted, and in what it differs from the rest. */
import { z } from "zod";
import { type ListenerLimitName, listenerLimitNames } from "../../base/index.ts";
import { filePath, limitValue } from "./configuration-schema-parts.ts";
import { anonymousSchema } from "./configuration-schema-rights.ts";

/**
 * The links of a chain of authenticators, in the order of the default chain: what proves most is looked at first, and what
 * looks like a token is not taken for a user's password.
 */
export const linkNames = ["certificate", "jwt", "users", "http", "anonymous"] as const;
export type LinkName = (typeof linkNames)[number];

export const chainSchema = z.array(z.enum(linkNames)).min(1);

export const refusedPublishSchema = z.enum(["acknowledge", "disconnect"]);

const certificateSchema = z.strictObject({
  cert: filePath().describe("The certificate, with those between it and its CA (PEM)."),
  key: filePath().describe("Its private key (PEM), without a password."),
});

export const tlsSchema = certificateSchema.extend({
  more: z
    .array(certificateSchema)
    .optional()
    .describe("Certificates for other host names: the client's SNI chooses."),
  ca: filePath()
    .optional()
    .describe("The CA certificates that clients' certificates must come from (PEM)."),
  crl: filePath().optional().describe("Revoked client certificates (PEM)."),
  clientCertificates: z
    .enum(["none", "optional", "required"])
    .optional()
    .describe("Whether clients show a certificate. With ca, required; without, none."),
  versionMin: z
    .enum(["TLSv1.2", "TLSv1.3"])
    .default("TLSv1.2")
    .describe("The oldest TLS that is spoken."),
});

export type TlsShape = z.output<typeof tlsSchema>;

const listenerLimitShape = Object.fromEntries(
  listenerLimitNames.map((name) => [name, limitValue(name).optional()]),
) as Record<ListenerLimitName, z.ZodOptional<z.ZodInt>>;

const proxyProtocolSchema = z.strictObject({
  from: z
    .array(z.string())
    .min(1)
    .describe(
      "The proxies: addresses and subnets, as 192.0.2.7 or 10.0.0.0/8. Nobody else may connect.",
    ),
});

const listenerSchema = z.strictObject({
  url: z
    .string()
    .describe(
      "mqtt://host:port, mqtts://host:port, ws://host:port/path, wss://host:port/path, unix:///path.",
    ),
  tls: tlsSchema.optional().describe("For mqtts and wss; without, the tls of all listeners."),
  proxyProtocol: proxyProtocolSchema
    .optional()
    .describe("A proxy stands before it and tells clients' addresses by the PROXY protocol."),
  authentication: chainSchema
    .optional()
    .describe("Who decides on this listener who comes in; without, authentication.chain."),
  allowAnonymous: z.boolean().optional().describe("As the key of all listeners, for this one."),
  anonymous: anonymousSchema.optional(),
  mountPoint: z
    .string()
    .optional()
    .describe(
      "Stands before all topics of its clients, who never see it: site-1/. Rights name topics with it.",
    ),
  refusedPublish: refusedPublishSchema
    .optional()
    .describe("As the key of all listeners, for this one."),
  limits: z
    .strictObject(listenerLimitShape)
    .optional()
    .describe("Limits of this listener's connections; the rest is as in limits."),
});

export type ListenerShape = z.output<typeof listenerSchema>;

/** A URL is short for a listener with nothing but that. */
export const listenSchema = z.array(z.union([z.string(), listenerSchema])).min(1);
