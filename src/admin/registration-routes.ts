/** The routes of registration: keys for devices, and devices that make themselves users with one. */
import type { NewRegistrationKey, Registration } from "./api-types.ts";
import type { Registrations } from "./ports.ts";
import { type AdminApi, answers, listOf, type NameParams, pathPart, ref } from "./routes.ts";

const tags = ["registration"];

export function registerRegistrationRoutes(api: AdminApi, registrations: Registrations): void {
  api.get(
    "/v1/registration-keys",
    {
      schema: {
        operationId: "listRegistrationKeys",
        summary: "All keys for registration, without the keys themselves",
        tags,
        response: answers(200, "All keys, the oldest first.", listOf("RegistrationKey")),
      },
    },
    () => registrations.listKeys(),
  );
  api.post<{ Body: NewRegistrationKey }>(
    "/v1/registration-keys",
    {
      schema: {
        operationId: "addRegistrationKey",
        summary: "Make a key with which devices register",
        tags,
        body: ref("NewRegistrationKey"),
        response: answers(201, "The key, told this once.", ref("MadeRegistrationKey")),
      },
    },
    async ({ body }, reply) => reply.code(201).send(await registrations.addKey(body)),
  );
  api.post<{ Params: NameParams }>(
    "/v1/registration-keys/:name/revoke",
    {
      schema: {
        operationId: "revokeRegistrationKey",
        summary: "Let nobody register with the key any more; who has stays",
        tags,
        params: pathPart("name", "The key's name."),
        response: answers(200, "The key as it is now.", ref("RegistrationKey")),
      },
    },
    ({ params: { name } }) => registrations.revokeKey(name),
  );
  api.post<{ Body: Registration }>(
    "/v1/registrations",
    {
      schema: {
        operationId: "register",
        summary: "Make a user for a device that has a key",
        tags,
        body: ref("Registration"),
        response: answers(201, "The new user, with its password.", ref("Registered")),
      },
    },
    async ({ body: { key } }, reply) => reply.code(201).send(await registrations.register(key)),
  );
}
