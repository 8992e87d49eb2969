/**
 * The broker's HTTP API, on no socket yet: its routes, its limits, its answers, and the OpenAPI document of them. It asks no
 * one who they are: whoever reaches it may do everything, so it stands where only its owner gets (`admin-socket.ts`).
 */
import type { Socket } from "node:net";
import swagger from "@fastify/swagger";
import { fastify } from "fastify";
import type { Log } from "../base/index.ts";
import { addBanRoutes } from "./ban-routes.ts";
import { addIdentityRoutes } from "./identity-routes.ts";
import type { Bans, Registrations, RunningBroker, Users } from "./ports.ts";
import { answerNotFound, newErrorHandler, problem } from "./problem.ts";
import { addQuestionRoutes } from "./question-routes.ts";
import { registerRegistrationRoutes } from "./registration-routes.ts";
import { addRoleRoutes } from "./role-routes.ts";
import { type AdminApi, recordChanges } from "./routes.ts";
import { toJsonSchemas } from "./schemas.ts";
import { addUserRoutes } from "./user-routes.ts";

const bodyBytesMax = 1024 * 1024;
const headBytesMax = 16 * 1024;
const headSecondsMax = 10;
const requestSecondsMax = 15;
const idleSecondsMax = 60;
const connectionsMax = 100;

export interface AdminApiOptions {
  readonly users: Users;
  readonly registrations: Registrations;
  /** Those of the running broker, and it; absent where the API is asked of a folder at rest. */
  readonly bans?: Bans;
  readonly broker?: RunningBroker;
  readonly version: string;
  readonly log: Log;
}

export async function createAdminApi(options: AdminApiOptions): Promise<AdminApi> {
  const { users, registrations, bans, broker, version, log } = options;
  const handleError = newErrorHandler(log);
  const api: AdminApi = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestSecondsMax * 1000,
    connectionTimeout: idleSecondsMax * 1000,
    http: {
      maxHeaderSize: headBytesMax,
      headersTimeout: headSecondsMax * 1000,
      connectionsCheckingInterval: 1000,
    },
    // A name is as long as the head may be, and no longer.
    routerOptions: { maxParamLength: headBytesMax },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // What has the wrong type is refused, not made to fit; a key that nobody knows is a mistake.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: handleError,
    clientErrorHandler: answerBrokenRequest,
  });
  api.removeContentTypeParser("text/plain");
  api.server.maxConnections = connectionsMax;
  api.setErrorHandler(handleError);
  api.setNotFoundHandler(answerNotFound);
  recordChanges(api, log);
  for (const schema of toJsonSchemas()) api.addSchema(schema);
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "tStack",
        version,
        description:
          "Users, roles, bans and keys for registration of a broker. Names in paths are percent-encoded. Every answer that is not 2xx is a Problem.",
      },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: ({ $id }, _uri, _fragment, index) => `${$id ?? index}` },
  });
  // swagger sees the routes that come after it.
  await api.after();
  addUserRoutes(api, users, broker);
  addRoleRoutes(api, users);
  addIdentityRoutes(api, users);
  addQuestionRoutes(api, users);
  addBanRoutes(api, bans);
  registerRegistrationRoutes(api, registrations);
  api.get("/v1/openapi.json", { schema: { hide: true } }, () => api.swagger());
  await api.ready();
  return api;
}

const brokenRequests: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "the head is too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request took too long"],
};

/** What is not even HTTP. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, text] = brokenRequests[error.code ?? ""] ?? ["400 Bad Request", "this is no HTTP"];
  const body = JSON.stringify(problem("REQUEST_INVALID", text));
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
}
