/** The routes of roles: lists of rules that users share. */
import type { Granting, NewRole, Revoking } from "./api-types.ts";
import type { Users } from "./ports.ts";
import {
  type AdminApi,
  answers,
  doneAnswer,
  listOf,
  type NameParams,
  pathPart,
  ref,
} from "./routes.ts";

const tags = ["roles"];
const params = pathPart("name", "The role's name.");
const roleAnswer = answers(200, "The role as it is now.", ref("Role"));

export function addRoleRoutes(api: AdminApi, users: Users): void {
  api.get(
    "/v1/roles",
    {
      schema: {
        operationId: "listRoles",
        summary: "All roles",
        tags,
        response: answers(200, "All roles.", listOf("Role")),
      },
    },
    () => users.listRoles(),
  );
  api.post<{ Body: NewRole }>(
    "/v1/roles",
    {
      schema: {
        operationId: "addRole",
        summary: "Add a role",
        tags,
        body: ref("NewRole"),
        response: answers(201, "The new role.", ref("Role")),
      },
    },
    async ({ body }, reply) => reply.code(201).send(await users.addRole(body)),
  );
  api.get<{ Params: NameParams }>(
    "/v1/roles/:name",
    {
      schema: {
        operationId: "showRole",
        summary: "A role",
        tags,
        params,
        response: answers(200, "The role.", ref("Role")),
      },
    },
    ({ params: { name } }) => users.findRole(name),
  );
  api.delete<{ Params: NameParams }>(
    "/v1/roles/:name",
    {
      schema: {
        operationId: "removeRole",
        summary: "Remove a role that no user has",
        tags,
        params,
        response: doneAnswer("The role is gone."),
      },
    },
    async ({ params: { name } }, reply) => {
      await users.removeRole(name);
      return reply.code(204).send();
    },
  );
  addRightsRoutes(api, users);
}

function addRightsRoutes(api: AdminApi, users: Users): void {
  api.post<{ Params: NameParams; Body: Granting }>(
    "/v1/roles/:name/rights",
    {
      schema: {
        operationId: "grantToRole",
        summary: "Add rules to a role",
        tags,
        params,
        body: ref("Granting"),
        response: roleAnswer,
      },
    },
    ({ params: { name }, body }) => users.grantToRole(name, body),
  );
  api.post<{ Params: NameParams; Body: Revoking }>(
    "/v1/roles/:name/rights/revoke",
    {
      schema: {
        operationId: "revokeFromRole",
        summary: "Take rules from a role: all that are named, or none",
        tags,
        params,
        body: ref("Revoking"),
        response: roleAnswer,
      },
    },
    ({ params: { name }, body }) => users.revokeFromRole(name, body),
  );
}
