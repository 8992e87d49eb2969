/**
 * Errors as answers: one table of statuses, one place that writes a `Problem`. What nobody foresaw is logged, and the
 * answer says no more than that; a body that cannot be read is never repeated, since a password may stand in it.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, type Log, TstackError } from "../base/index.ts";
import type { Problem } from "./api-types.ts";

const statusOfCode: Partial<Record<ErrorCode, number>> = {
  USER_INVALID: 400,
  PASSWORD_HASH_INVALID: 400,
  REGISTRATION_KEY_REFUSED: 403,
  USER_UNKNOWN: 404,
  ROLE_UNKNOWN: 404,
  RIGHT_UNKNOWN: 404,
  BAN_UNKNOWN: 404,
  REGISTRATION_KEY_UNKNOWN: 404,
  USER_EXISTS: 409,
  USER_CONFIGURED: 409,
  ROLE_EXISTS: 409,
  ROLE_IN_USE: 409,
  REGISTRATION_KEY_EXISTS: 409,
  BROKER_NOT_RUNNING: 409,
  REGISTRATION_UNAVAILABLE: 503,
  STORAGE_UNAVAILABLE: 503,
  STORAGE_FULL: 507,
};

/** Of what is wrong with the request itself; everything else of 4xx is a bad request. */
const requestTexts: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "the body is too large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "the body must be JSON: content-type: application/json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "the body is empty, and must be JSON",
};

/** Errors of the request as fastify words them. Others become 500. */
export function newErrorHandler(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    if (error instanceof TstackError) {
      const status = statusOfCode[error.code] ?? 500;
      if (status >= 500) log.warn({ error, route: routeOf(request) }, `the API: ${error.message}`);
      void reply.code(status).send(problem(error.code, error.message));
    } else if (isRequestError(error)) {
      void reply.code(error.statusCode).send(problem("REQUEST_INVALID", describeRequest(error)));
    } else {
      log.error({ error, route: routeOf(request) }, "a bug in the API: please report it");
      const message = "the broker could not do that; its log says why";
      void reply.code(500).send(problem("INTERNAL_ERROR", message));
    }
  };
}

export function answerNotFound(_request: FastifyRequest, reply: FastifyReply): void {
  const message = "the API has no such path or method; GET /v1/openapi.json lists them";
  void reply.code(404).send(problem("REQUEST_INVALID", message));
}

export function problem(code: Problem["code"], message: string): Problem {
  return { code, message };
}

interface RequestError {
  readonly statusCode: number;
  readonly code: string;
  readonly validation?: FastifyError["validation"];
  readonly validationContext?: string;
}

function isRequestError(error: unknown): error is RequestError {
  if (!(error instanceof Error) || !("statusCode" in error)) return false;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
}

/** The words of the validator name places and types, never values. */
function describeRequest({ code, validation, validationContext }: RequestError): string {
  if (validation === undefined) return requestTexts[code] ?? "the body or the path cannot be read";
  const [first] = validation;
  // Only names have one.
  if (first.keyword === "pattern") {
    return `${place(validationContext, first)} must not hold control characters, or be . or ..`;
  }
  const extra = first.params.additionalProperty;
  const named = typeof extra === "string" ? `: ${JSON.stringify(extra.slice(0, 100))}` : "";
  return `${place(validationContext, first)} ${first.message ?? "is not as it must be"}${named}`;
}

function place(context: string | undefined, { instancePath }: { instancePath: string }): string {
  return `${context ?? "body"}${instancePath}`;
}

/** As it stands in the code, without names. */
function routeOf({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${routeOptions.url ?? "?"}`;
}
