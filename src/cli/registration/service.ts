/**
 * The one request that treg answers, over HTTP or HTTPS. Everything in it is bounded - bytes, seconds, connections, requests
 * of one address, and above all refused keys of one address - and an answer never tells why a key was refused.
 */
import type { SecureContextOptions } from "node:tls";
import rateLimit, { type CreateRateLimitOptions } from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Audit } from "./audit.ts";
import type { Register } from "./broker-users.ts";

export interface ServiceOptions {
  readonly register: Register;
  /** What devices are told of the broker. */
  readonly broker: string;
  readonly ca: () => string;
  readonly audit: Audit;
  /** Undefined: plain HTTP. */
  readonly tls: SecureContextOptions | undefined;
  /** What nobody foresaw. */
  readonly bug: (error: unknown) => void;
}

const bodyBytesMax = 4096;
const headBytesMax = 8192;
const secondsMax = 10;
const keepAliveSeconds = 5;
const connectionsMax = 500;
const keyLengthMax = 1000;

/** Addresses that are remembered; of those beyond, the one not heard of for longest is forgotten. */
const addressesMax = 10_000;
const minuteMilliseconds = 60_000;
/** Of one IPv4 address, or one network of IPv6 (64 bits): a whole house can register. */
const requestsPerMinute = 60;
const refusedMax = 10;
const refusedMilliseconds = 10 * minuteMilliseconds;

const refused = { Error: "the key is unknown, expired, used up or revoked" } as const;
const limited = { Error: "too many requests from this address; try again later" } as const;
const misread = { Error: 'the body must be {"RegistrationKey": "..."}, as JSON' } as const;
const unavailable = { Error: "the broker cannot register anyone now; try again later" } as const;

const bodySchema = {
  type: "object",
  required: ["RegistrationKey"],
  properties: { RegistrationKey: { type: "string", minLength: 1, maxLength: keyLengthMax } },
} as const;

export async function createService(options: ServiceOptions): Promise<FastifyInstance> {
  const service = openServer(options.tls);
  service.server.maxConnections = connectionsMax;
  service.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status >= 500) options.bug(error);
    return status < 500 ? reply.code(400).send(misread) : reply.code(500).send(unavailable);
  });
  service.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ Error: "there is only POST /register.json" }),
  );
  await service.register(rateLimit, { global: false, cache: addressesMax });
  const limits = new Limits(service);
  service.post<{ Body: { RegistrationKey: string } }>(
    "/register.json",
    {
      schema: { body: bodySchema },
      // Before the body is read.
      onRequest: async (request, reply) => {
        const waitSeconds = await limits.hold(request, options.audit);
        if (waitSeconds === undefined) return;
        return reply.code(429).header("retry-after", waitSeconds).send(limited);
      },
    },
    (request, reply) => answer(request, reply, { ...options, limits }),
  );
  await service.ready();
  return service;
}

function openServer(tls: SecureContextOptions | undefined): FastifyInstance {
  const shared = {
    bodyLimit: bodyBytesMax,
    connectionTimeout: secondsMax * 1000,
    requestTimeout: secondsMax * 1000,
    keepAliveTimeout: keepAliveSeconds * 1000,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false } },
  } as const;
  const http = {
    maxHeaderSize: headBytesMax,
    headersTimeout: secondsMax * 1000,
    connectionsCheckingInterval: 1000,
  };
  if (tls === undefined) return fastify({ ...shared, http });
  const https = { ...tls, ...http, handshakeTimeout: secondsMax * 1000 };
  return fastify({ ...shared, https }) as unknown as FastifyInstance;
}

async function answer(
  request: FastifyRequest<{ Body: { RegistrationKey: string } }>,
  reply: FastifyReply,
  { register, broker, ca, audit, limits }: ServiceOptions & { readonly limits: Limits },
): Promise<FastifyReply> {
  const address = addressOf(request);
  reply.header("cache-control", "no-store");
  try {
    const registered = await register(request.body.RegistrationKey);
    if (registered === undefined) {
      const tries = await limits.countRefused(request);
      await audit.tell({ event: "refused", address, tries });
      return reply.code(401).send(refused);
    }
    const { name, password, keyName } = registered;
    await audit.tell({ event: "registered", address, name, key: keyName });
    return reply.send({ Name: name, Password: password, Broker: broker, Ca: ca() });
  } catch (error) {
    await audit.tell({ event: "failed", address, reason: (error as Error).message });
    return reply.code(503).send(unavailable);
  }
}

/** Counts per address. The limits of the plugin count for its hooks; here two of them count side by side. */
class Limits {
  readonly #requests: Limiter;
  readonly #refused: Limiter;
  readonly #told: Limiter;

  constructor(service: FastifyInstance) {
    const create = (max: number, timeWindow: number) => {
      const limiterOptions: CreateRateLimitOptions & { cache: number } = {
        max,
        timeWindow,
        cache: addressesMax,
      };
      return service.createRateLimit(limiterOptions);
    };
    this.#requests = create(requestsPerMinute, minuteMilliseconds);
    this.#refused = create(refusedMax, refusedMilliseconds);
    this.#told = create(1, refusedMilliseconds);
  }

  /** The seconds to wait for an address that may not ask now. */
  async hold(request: FastifyRequest, audit: Audit): Promise<number | undefined> {
    const asked = await this.#requests(request);
    const failed = await this.#refused(request, { increment: false });
    if (asked.isAllowed || failed.isAllowed) return undefined; // nobody is on a list of those
    const isHeld = failed.remaining === 0;
    if (!isHeld && !asked.isExceeded) return undefined;
    const told = await this.#told(request);
    if (!told.isAllowed && !told.isExceeded) {
      await audit.tell({ event: "limited", address: addressOf(request) });
    }
    return Math.max(1, Math.ceil((isHeld ? failed.ttl : asked.ttl) / 1000));
  }

  /** How many it is now. */
  async countRefused(request: FastifyRequest): Promise<number> {
    const failed = await this.#refused(request);
    return failed.isAllowed ? 0 : failed.max - failed.remaining;
  }
}

type Limiter = ReturnType<FastifyInstance["createRateLimit"]>;

function addressOf({ ip }: FastifyRequest): string {
  return ip.replace(/^::ffff:(?=\d+\.)/, "");
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" ? status : 500;
}
