/** The OpenAPI document names every route, holds together, and is the one in docs/. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderOpenApi } from "../../scripts/write-openapi.ts";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const root = join(import.meta.dirname, "../..");
const rendered = await renderOpenApi();
const document = JSON.parse(rendered) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test("docs/openapi.json is the document of the API", () => {
  const file = readFileSync(join(root, "docs/openapi.json"), "utf8");
  assert.equal(file, rendered, "docs/openapi.json is out of date: run `npm run format`");
});

test("every route of the code is in the document", () => {
  const routes: string[] = [];
  for (const file of globSync("src/admin/*-routes.ts", { cwd: root })) {
    const code = readFileSync(join(root, file), "utf8");
    for (const [, method, path] of code.matchAll(
      /\bapi\.(get|post|put|delete)(?:<[^(]*>)?\(\s*"([^"]+)"/g,
    )) {
      routes.push(`${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    }
  }
  assert.ok(routes.length > 20);
  const documented = operations.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(documented.sort(), routes.sort());
});

test("every reference leads somewhere, and every schema is complete", () => {
  assert.match(document.openapi, /^3\.1\./);
  const references = [...rendered.matchAll(/"\$ref": "([^"]+)"/g)].map(
    ([, reference]) => reference,
  );
  assert.ok(references.length > 50);
  for (const reference of references) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? "";
    assert.ok(Object.hasOwn(document.components.schemas, name), reference);
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.equal((schema as { additionalProperties?: unknown }).additionalProperties, false, name);
  }
});

test("every operation has a name of its own, its parameters, its body and its problems", () => {
  const names = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(names).size, names.length);
  for (const { path, method, operation } of operations) {
    assert.ok(operation.summary.length > 5, path);
    const inPath = operation.parameters?.filter((parameter) => parameter.in === "path") ?? [];
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(
      inPath.map(({ name }) => name),
      wanted,
      path,
    );
    const takesBody = method === "put" || (method === "post" && !path.endsWith("}/revoke"));
    assert.equal(operation.requestBody !== undefined || !takesBody, true, path);
    const statuses = Object.keys(operation.responses);
    assert.ok(statuses.includes("4XX") && statuses.includes("5XX"), path);
    assert.ok(
      statuses.some((status) => /^20[014]$/.test(status)),
      path,
    );
  }
});
