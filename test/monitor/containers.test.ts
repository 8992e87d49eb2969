/** Containers, with a socket that answers as Docker's does (Engine API 1.41 and later), and as it should not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ContainerSource } from "../../src/cli/monitor/container-source.ts";

async function serve(
  context: TestContext,
  answer: (url: string, response: ServerResponse) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tmonitor-"));
  const socket = join(folder, "docker.sock");
  const server = createServer((request, response) => answer(request.url ?? "", response));
  server.listen(socket);
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return socket;
}

const sendJson = (response: ServerResponse, value: unknown) => response.end(JSON.stringify(value));

test("each container: whether it runs, its memory without the page cache, its share of a core", async (context) => {
  let now = 100;
  const asked: string[] = [];
  const socket = await serve(context, (url, response) => {
    asked.push(url);
    if (url.startsWith("/containers/json")) {
      return sendJson(response, [
        { Id: "b0", Names: ["/web"], State: "running" },
        { Id: "a0", Names: ["/old one"], State: "exited" },
        { Id: "c/0", Names: ["/new"], State: "running" },
      ]);
    }
    if (url.startsWith("/containers/c%2F0/")) {
      response.statusCode = 404;
      return response.end("{}");
    }
    return sendJson(response, {
      cpu_stats: { cpu_usage: { total_usage: now * 500_000_000 } },
      memory_stats: { usage: 3000, stats: { inactive_file: 1000 } },
    });
  });
  const source = new ContainerSource(socket, () => now);
  await source.read();
  now += 10;
  asked.length = 0;
  const figures = (await source.read()).map(({ path, kind, value }) => [path, kind, value]);
  assert.deepEqual(figures, [
    ["containers/new/running", "running", 1],
    ["containers/old-one/running", "running", 0],
    ["containers/web/running", "running", 1],
    ["containers/web/memory", "bytes", 2000],
    ["containers/web/cpu", "percent", 50],
  ]);
  assert.deepEqual(asked, [
    "/containers/json?all=1",
    "/containers/c%2F0/stats?stream=false&one-shot=true",
    "/containers/b0/stats?stream=false&one-shot=true",
  ]);
});

test("a hundred containers at most, and no answer longer than its bound", async (context) => {
  const many = Array.from({ length: 150 }, (_, index) => ({ Id: `${index}`, State: "exited" }));
  const socket = await serve(context, (_, response) => sendJson(response, many));
  assert.equal((await new ContainerSource(socket, () => 0).read()).length, 100);
  const flood = await serve(context, (_, response) => {
    const chunk = Buffer.alloc(1_000_000, " ");
    const pour = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", pour);
    pour();
  });
  await assert.rejects(new ContainerSource(flood, () => 0).read(), /the answer is too long/);
});

test("what is not Docker is told", async (context) => {
  const none = new ContainerSource("/no/such/docker.sock", () => 0);
  await assert.rejects(none.read(), /docker\.sock: no such file/);
  for (const [body, code, mistake] of [
    ["not json", 200, /no JSON/],
    ["{}", 200, /does not answer as Docker does/],
    ["[]", 500, /HTTP 500/],
  ] as const) {
    const socket = await serve(context, (_, response) => {
      response.statusCode = code;
      response.end(body);
    });
    await assert.rejects(new ContainerSource(socket, () => 0).read(), mistake);
  }
});
