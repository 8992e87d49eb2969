/** Writes docs/openapi.json, the document that the broker's API gives at /v1/openapi.json. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAdminApi, type Registrations, type Users } from "../src/admin/index.ts";
import { silentLog } from "../src/base/index.ts";

/** It says `v1` for its version: a release that changes nothing of the API changes nothing of the document. */
export async function renderOpenApi(): Promise<string> {
  // Nothing is asked of them.
  const users = {} as Users;
  const registrations = {} as Registrations;
  const api = await createAdminApi({ users, registrations, version: "v1", log: silentLog });
  const { body } = await api.inject("/v1/openapi.json");
  await api.close();
  return `${JSON.stringify(JSON.parse(body), undefined, 2)}\n`;
}

if (import.meta.main) {
  await writeFile(join(import.meta.dirname, "../docs/openapi.json"), await renderOpenApi());
}
