/**
 * The link `http`: asks a service of yours who a client is. Fails closed: only a 200 with a well-formed answer in time
 * decides. Asks at most so many at once, the same question once, and remembers answers for a while; what clients gave
 * as passwords goes to the service and nowhere else.
 */
import { ReasonCode } from "../base/index.ts";
import type { AuthenticationRequest, AuthenticationResult } from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import { ChangingFile, readSecret } from "./changing-file.ts";
import { Grant } from "./grant.ts";
import { completeWorld, type GrantingWorld, isDisabled, toBrokerTime } from "./granted-identity.ts";
import { type HttpAnswer, readHttpAnswer } from "./http-answer.ts";
import { HttpAnswerCache } from "./http-answer-cache.ts";
import { writeHttpQuestion } from "./http-question.ts";
import {
  abortAfter,
  askService,
  describeServiceUrl,
  parseServiceUrl,
  type ServiceUrlSettings,
  unavailable,
} from "./service-url.ts";
import { Turnstile } from "./turnstile.ts";

export interface HttpSettings extends ServiceUrlSettings {
  /** Holds what the service knows the broker by: it is sent as `Authorization: Bearer ...`. Read again when it changes. */
  readonly secretFile?: string;
  /** From the login to the answer, waiting included. Default: 5. */
  readonly timeoutSeconds?: number;
  /** Asked at one time. Default: 50. */
  readonly questionsMax?: number;
  /** Those that wait; beyond, clients are told that the broker is busy. Default: 1000. */
  readonly waitingMax?: number;
  /** How long an answer counts that says nothing of it. Defaults: 60 and 5. */
  readonly allowCacheSeconds?: number;
  readonly denyCacheSeconds?: number;
}

const defaults = {
  timeoutSeconds: 5,
  questionsMax: 50,
  waitingMax: 1000,
  allowCacheSeconds: 60,
  denyCacheSeconds: 5,
} as const;

const answerBytesMax = 65_536;

/** Rejects with CONFIGURATION_INVALID, also when the file of the secret cannot be read. */
export async function openHttpAuthenticator(
  settings: HttpSettings,
  given: Partial<GrantingWorld> = {},
): Promise<HttpAuthenticator> {
  const world = completeWorld(given);
  const url = parseServiceUrl(settings, "the url of the HTTP service");
  const { secretFile: file } = settings;
  const secret =
    file === undefined
      ? undefined
      : await ChangingFile.open({ file, parse: readHeaderSecret, log: world.log });
  return new HttpAuthenticator({ ...defaults, ...settings, url, secret }, world);
}

/** Other characters cannot go into a header. */
function readHeaderSecret(bytes: Buffer): string {
  const secret = readSecret(bytes).toString("latin1");
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new TypeError("it holds other characters than those of ASCII without spaces");
}

interface HttpOptions
  extends Required<Omit<HttpSettings, "url" | "secretFile" | "allowUnencrypted">> {
  readonly url: URL;
  readonly secret: ChangingFile<string> | undefined;
}

export class HttpAuthenticator implements AuthenticationLink {
  readonly name = "http";
  readonly #options: HttpOptions;
  readonly #world: GrantingWorld;
  readonly #cache: HttpAnswerCache;
  readonly #turnstile: Turnstile;
  readonly #asking = new Map<string, Promise<HttpAnswer | "busy">>();

  /** Use `openHttpAuthenticator`. */
  constructor(options: HttpOptions, world: GrantingWorld) {
    this.#options = options;
    this.#world = world;
    this.#cache = new HttpAnswerCache(world.clock);
    this.#turnstile = new Turnstile(options.questionsMax, options.waitingMax);
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult | undefined> {
    const question = writeHttpQuestion(request);
    const key = this.#cache.keyOf(question);
    const answer = this.#cache.find(key) ?? (await this.#askOnce(key, question));
    if (answer === "busy") {
      const rule = "too many clients wait for the HTTP service";
      return { allowed: false, reasonCode: ReasonCode.serverBusy, rule };
    }
    return this.#decide(answer, request);
  }

  #decide(answer: HttpAnswer, request: AuthenticationRequest): AuthenticationResult | undefined {
    const service = `the HTTP service ${describeServiceUrl(this.#options.url)}`;
    const { result, userName = request.userName, rights } = answer;
    if (result === "ignore") return undefined;
    if (result === "deny") return refuse(`${service} refuses it`);
    const expiresAt = this.#findEnd(answer);
    if (expiresAt !== undefined && expiresAt <= this.#world.clock.now()) {
      return refuse(`what ${service} answers has expired already`);
    }
    if (isDisabled(this.#world, userName)) {
      return refuse(`${service} allows it, but user ${JSON.stringify(userName)} is disabled`);
    }
    const owner = `${userName === undefined ? "clients" : JSON.stringify(userName)} as ${service} says`;
    const grant = rights === undefined ? undefined : new Grant(owner, () => rights);
    return { allowed: true, userName, rule: `${service} allows it`, grant, expiresAt };
  }

  /** On the broker's clock. */
  #findEnd({ expiresAt }: HttpAnswer): number | undefined {
    return expiresAt === undefined ? undefined : toBrokerTime(this.#world, expiresAt);
  }

  #askOnce(key: string, question: string): Promise<HttpAnswer | "busy"> {
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) return underWay;
    const asked = this.#ask(key, question).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #ask(key: string, question: string): Promise<HttpAnswer | "busy"> {
    const { timeoutSeconds, url, secret } = this.#options;
    const { signal, callOff } = abortAfter(this.#world.clock, timeoutSeconds * 1000);
    try {
      const isIn = await this.#turnstile.enter(signal);
      if (isIn !== "in") {
        if (isIn === "full") return "busy";
        throw unavailable(url, "has so many to answer that one was not asked in time");
      }
      try {
        const bytes = await askService({
          url,
          method: "POST",
          headers: await writeHeaders(secret),
          body: question,
          signal,
          answerBytesMax,
        });
        return this.#read(key, bytes);
      } finally {
        this.#turnstile.leave();
      }
    } finally {
      callOff();
    }
  }

  #read(key: string, bytes: Buffer): HttpAnswer {
    const { url, allowCacheSeconds, denyCacheSeconds } = this.#options;
    const answer = readHttpAnswer(bytes);
    if (typeof answer === "string") throw unavailable(url, answer);
    if (answer.result === "ignore") return answer;
    const usual = answer.result === "allow" ? allowCacheSeconds : denyCacheSeconds;
    const held = this.#world.clock.now() + (answer.cacheSeconds ?? usual) * 1000;
    const until = Math.min(held, this.#findEnd(answer) ?? held);
    this.#cache.keep(key, answer, { bytes: bytes.length, until });
    return answer;
  }
}

async function writeHeaders(secret: ChangingFile<string> | undefined) {
  return {
    "content-type": "application/json",
    accept: "application/json",
    ...(secret === undefined ? {} : { authorization: `Bearer ${await secret.content()}` }),
  };
}

function refuse(rule: string): AuthenticationResult {
  return { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule };
}
