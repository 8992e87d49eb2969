/** The routes that move all users and roles at once. The export is the only answer of the API that holds hashes. */
import type { ExportedIdentities } from "./api-types.ts";
import type { Users } from "./ports.ts";
import { type AdminApi, answers, ref } from "./routes.ts";

const tags = ["identities"];
/** 250,000 users with a rule and an argon2id hash each, as they are exported. */
const importBytesMax = 64 * 1024 * 1024;

interface ImportQuery {
  readonly replace?: "true" | "false";
}

export function addIdentityRoutes(api: AdminApi, users: Users): void {
  api.get(
    "/v1/identities",
    {
      schema: {
        operationId: "exportIdentities",
        summary: "All users and roles of the store, with the hashes of their passwords",
        tags,
        response: answers(200, "All of them.", ref("ExportedIdentities")),
      },
    },
    () => users.exportIdentities(),
  );
  api.post<{ Body: ExportedIdentities; Querystring: ImportQuery }>(
    "/v1/identities",
    {
      bodyLimit: importBytesMax,
      schema: {
        operationId: "importIdentities",
        summary: "Add users and roles, all or none of them",
        tags,
        querystring: {
          type: "object",
          properties: {
            replace: {
              type: "string",
              enum: ["true", "false"],
              default: "false",
              description: "Those that are there already become as given, instead of a 409.",
            },
          },
        },
        body: ref("ExportedIdentities"),
        response: answers(200, "What has become of them.", ref("ImportOutcome")),
      },
    },
    ({ body, query }) => users.importIdentities(body, query.replace === "true"),
  );
}
