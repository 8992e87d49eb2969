/** One way to ask a broker's API, whether the broker runs or its folder is at rest. */
import type { Problem } from "../../admin/index.ts";
import { ProgramFailure } from "../client/index.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface AdminAnswer {
  readonly status: number;
  /** JSON; undefined for 204. */
  readonly body: unknown;
}

export interface AdminClient {
  /** Whether a running broker answers, or this process in its place. */
  readonly isRunning: boolean;
  /** `path` is percent-encoded: `apiPath` makes it. Throws a ProgramFailure when no answer comes. */
  request(method: Method, path: string, body?: unknown): Promise<AdminAnswer>;
  close(): Promise<void>;
}

/** The API refused. `code` is that of the `Problem`. */
export class ProblemFailure extends ProgramFailure {
  readonly code: string;

  constructor({ code, message }: Problem) {
    super(message);
    this.name = "ProblemFailure";
    this.code = code;
  }
}

/** What the API answers, if it is a 2xx. @throws ProblemFailure @throws ProgramFailure */
export async function ask<Answer>(
  client: AdminClient,
  method: Method,
  path: string,
  question?: unknown,
): Promise<Answer> {
  const { status, body } = await client.request(method, path, question);
  if (status >= 200 && status < 300) return body as Answer;
  throw isProblem(body)
    ? new ProblemFailure(body)
    : new ProgramFailure(`the broker's API answered ${status}: is it another tStack?`);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "message" in body;
}

/** Encodes what is put in: apiPath`/v1/users/${"a/b"}` is `/v1/users/a%2Fb`. */
export function apiPath(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return String.raw({ raw: texts }, ...names.map(encodeURIComponent));
}
