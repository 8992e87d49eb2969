/** Asks treg for a user: one request, an answer that is checked, and a failure of its own for everything else. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as requestPlain } from "node:http";
import { request as requestEncrypted } from "node:https";
import { isIP } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { z } from "zod";
import { parseBrokerUrl } from "../client/index.ts";
import { explainConnection, failWith } from "./failures.ts";
import { findPinned } from "./pinned-certificate.ts";

export interface RegistrationRequest {
  readonly url: URL;
  readonly key: string;
  /** PEM; undefined trusts the CAs of the system. */
  readonly ca: Buffer | undefined;
  /** As of `parsePin`. */
  readonly pin: string | undefined;
}

export interface Registered {
  readonly name: string;
  readonly password: string;
  readonly broker: string;
  /** PEM; empty where the broker's certificate is one that systems trust. */
  readonly ca: string;
}

const secondsMax = 30;
const answerBytesMax = 262_144;

const answerShape = z.object({
  Name: z
    .string()
    .min(1)
    .regex(/^\P{Cc}+$/u),
  Password: z.string().min(1),
  Broker: z.string().refine(isBroker),
  Ca: z.string().default("").refine(isCa),
});

/** @throws ProgramFailure */
export async function requestRegistration(asked: RegistrationRequest): Promise<Registered> {
  const where = asked.url.host;
  const { answer, body } = await send(asked).catch((error: unknown) => {
    if (error instanceof Error && "exitCode" in error) throw error;
    throw explainConnection(error as Error, where);
  });
  if (answer.statusCode === 200) return readAnswer(body, where);
  throw explainRefusal(answer, where);
}

async function send({ url, key, ca, pin }: RegistrationRequest) {
  const signal = AbortSignal.timeout(secondsMax * 1000);
  const payload = JSON.stringify({ RegistrationKey: key });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(payload),
  };
  const options = { method: "POST", headers, signal, agent: false } as const;
  const sent =
    url.protocol === "http:"
      ? requestPlain(url, options)
      : requestEncrypted(url, { ...options, ...(await chooseTrust(url, ca, pin, signal)) });
  sent.end(payload);
  const [answer] = (await once(sent, "response", { signal })) as [IncomingMessage];
  return { answer, body: await readBody(answer) };
}

async function chooseTrust(
  { hostname, port }: URL,
  ca: Buffer | undefined,
  pin: string | undefined,
  signal: AbortSignal,
): Promise<SecureContextOptions & { allowPartialTrustChain?: boolean }> {
  if (pin === undefined) return { ca };
  const host = hostname.replace(/^\[|\]$/g, "");
  const servername = isIP(host) === 0 ? host : undefined;
  const pinned = await findPinned({ host, port: Number(port || 443), servername }, pin, signal);
  // It may be the certificate of the server itself, which is the end of its chain then.
  return { ca: pinned, allowPartialTrustChain: true };
}

async function readBody(answer: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    body += chunk as string;
    if (body.length > answerBytesMax) break;
  }
  return body;
}

function readAnswer(body: string, where: string): Registered {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch (error) {
    throw notTreg(where, "is no JSON", error);
  }
  const { success, data, error } = answerShape.safeParse(answer);
  if (!success) {
    const [{ path }] = error.issues;
    throw notTreg(where, `has no usable ${path.join(".") || "fields"}`, error);
  }
  return { name: data.Name, password: data.Password, broker: data.Broker, ca: data.Ca };
}

function notTreg(where: string, what: string, error?: unknown) {
  return failWith(
    "answerInvalid",
    `${where}: the answer ${what}: is it treg that answers there?`,
    error,
  );
}

function explainRefusal({ statusCode = 0, headers }: IncomingMessage, where: string) {
  switch (statusCode) {
    case 400:
      return failWith(
        "requestRefused",
        `${where} does not understand the request: is the key in one piece, and tregister as new as treg?`,
      );
    case 401:
      return failWith(
        "keyRefused",
        `${where} refuses the key: it is unknown, expired, used up or revoked; ask for another one`,
      );
    case 429: {
      const wait = /^\d+$/.test(headers["retry-after"] ?? "")
        ? ` in ${headers["retry-after"]} seconds`
        : " later";
      return failWith(
        "tooManyRequests",
        `${where}: too many requests from this address: try again${wait}`,
      );
    }
    case 503:
      return failWith(
        "unavailable",
        `${where}: the broker cannot register anyone now: try again later`,
      );
    default:
      return notTreg(where, `is HTTP ${statusCode}`);
  }
}

function isBroker(text: string): boolean {
  try {
    const { scheme, username, topic } = parseBrokerUrl(text);
    return scheme !== "unix" && username === undefined && topic === undefined;
  } catch {
    return false; // which is the answer
  }
}

function isCa(text: string): boolean {
  if (text === "") return true;
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false; // which is the answer
  }
}
