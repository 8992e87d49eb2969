/** What the files of routes share: how a route names the schemas of its question and its answers. */
import type { FastifyInstance } from "fastify";
import type { Log } from "../base/index.ts";
import type { SchemaName } from "./schemas.ts";

/** The server on which the routes are put. */
export type AdminApi = FastifyInstance;

export interface NameParams {
  readonly name: string;
}

export function ref(name: SchemaName): { readonly $ref: string } {
  return { $ref: `${name}#` };
}

export function listOf(name: SchemaName) {
  return { type: "array", items: ref(name) } as const;
}

/** `answer` under `status` when all is well, a `Problem` otherwise. */
export function answers(status: 200 | 201, description: string, answer: object) {
  const content = { "application/json": { schema: answer } };
  return { [status]: { description, content }, ...problems };
}

/** Done, and there is nothing to tell. */
export function doneAnswer(description: string) {
  return { 204: { description, type: "null" }, ...problems };
}

const problem = {
  description: "What went wrong.",
  content: { "application/json": { schema: ref("Problem") } },
};
const problems = { "4xx": problem, "5xx": problem };

/** The part of the path that is called `part`, percent-encoded: `a/b` is `a%2Fb` there. */
export function pathPart(part: "name" | "subject", description: string) {
  return {
    type: "object",
    properties: { [part]: { type: "string", description } },
    required: [part],
  } as const;
}

/** One line in the log for each change: what was done to which name, never the rest of the request. */
export function recordChanges(api: AdminApi, log: Log): void {
  api.addHook("onResponse", ({ method, routeOptions, params, body }, { statusCode }, done) => {
    const { operationId, tags } = routeOptions.schema ?? {};
    const isChange = method !== "GET" && statusCode < 300 && !tags?.includes("questions");
    if (isChange) {
      const { name } = { ...(body as Partial<NameParams>), ...(params as Partial<NameParams>) };
      const named = name === undefined ? "" : ` ${JSON.stringify(name)}`;
      // Not `name`, which pino takes for that of the logger.
      log.info({ operation: operationId, subject: name }, `API: ${operationId}${named}`);
    }
    done();
  });
}
