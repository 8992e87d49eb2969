/** The routes of users: who there is, and everything about one of them. */
import type {
  Enabling,
  Granting,
  NewPassword,
  NewUser,
  Revoking,
  UserDetails,
} from "./api-types.ts";
import type { RunningBroker, Users } from "./ports.ts";
import {
  type AdminApi,
  answers,
  doneAnswer,
  listOf,
  type NameParams,
  pathPart,
  ref,
} from "./routes.ts";

const tags = ["users"];
const params = pathPart("name", "The user's name.");
const userAnswer = answers(200, "The user as it is now.", ref("User"));

export function addUserRoutes(
  api: AdminApi,
  users: Users,
  broker: RunningBroker | undefined,
): void {
  api.get(
    "/v1/users",
    {
      schema: {
        operationId: "listUsers",
        summary: "All users, of the store and of the configuration",
        tags,
        response: answers(200, "All users.", listOf("User")),
      },
    },
    () => users.listUsers(),
  );
  api.post<{ Body: NewUser }>(
    "/v1/users",
    {
      schema: {
        operationId: "addUser",
        summary: "Add a user",
        tags,
        body: ref("NewUser"),
        response: answers(201, "The new user.", ref("User")),
      },
    },
    async ({ body }, reply) => reply.code(201).send(await users.addUser(body)),
  );
  api.get<{ Params: NameParams }>(
    "/v1/users/:name",
    {
      schema: {
        operationId: "showUser",
        summary: "A user, and its sessions where a broker runs",
        tags,
        params,
        response: answers(200, "The user.", ref("UserDetails")),
      },
    },
    ({ params: { name } }): UserDetails => {
      return { ...users.findUser(name), clients: broker?.clients(name) ?? [] };
    },
  );
  api.delete<{ Params: NameParams }>(
    "/v1/users/:name",
    {
      schema: {
        operationId: "removeUser",
        summary: "Remove a user, end its connections and its sessions",
        tags,
        params,
        response: doneAnswer("The user is gone."),
      },
    },
    async ({ params: { name } }, reply) => {
      await users.removeUser(name);
      return reply.code(204).send();
    },
  );
  addChangeRoutes(api, users);
}

function addChangeRoutes(api: AdminApi, users: Users): void {
  api.put<{ Params: NameParams; Body: NewPassword }>(
    "/v1/users/:name/password",
    {
      schema: {
        operationId: "setPassword",
        summary: "Give a user another password, and end its connections",
        tags,
        params,
        body: ref("NewPassword"),
        response: userAnswer,
      },
    },
    ({ params: { name }, body }) => users.setPassword(name, body),
  );
  api.put<{ Params: NameParams; Body: Enabling }>(
    "/v1/users/:name/enabled",
    {
      schema: {
        operationId: "setEnabled",
        summary: "Let a user in, or keep it out and end its connections; its sessions stay",
        tags,
        params,
        body: ref("Enabling"),
        response: userAnswer,
      },
    },
    ({ params: { name }, body }) => users.setEnabled(name, body.isEnabled),
  );
  api.post<{ Params: NameParams; Body: Granting }>(
    "/v1/users/:name/rights",
    {
      schema: {
        operationId: "grantToUser",
        summary: "Add rules and roles to a user",
        tags,
        params,
        body: ref("Granting"),
        response: userAnswer,
      },
    },
    ({ params: { name }, body }) => users.grantToUser(name, body),
  );
  api.post<{ Params: NameParams; Body: Revoking }>(
    "/v1/users/:name/rights/revoke",
    {
      schema: {
        operationId: "revokeFromUser",
        summary: "Take rules and roles from a user: all that are named, or none",
        tags,
        params,
        body: ref("Revoking"),
        response: userAnswer,
      },
    },
    ({ params: { name }, body }) => users.revokeFromUser(name, body),
  );
}
