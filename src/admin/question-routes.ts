/** The routes that explain rights. They change nothing; they are POST so that a topic need not fit into a URL. */
import type { ExplainQuestion, WhoCanQuestion } from "./api-types.ts";
import type { Users } from "./ports.ts";
import { type AdminApi, answers, listOf, ref } from "./routes.ts";

const tags = ["questions"];

export function addQuestionRoutes(api: AdminApi, users: Users): void {
  api.post<{ Body: ExplainQuestion }>(
    "/v1/explain",
    {
      schema: {
        operationId: "explain",
        summary: "Whether a user may publish or subscribe that, and which rule decides",
        tags,
        body: ref("ExplainQuestion"),
        response: answers(200, "The decision.", ref("Explanation")),
      },
    },
    ({ body }) => users.explain(body),
  );
  api.post<{ Body: WhoCanQuestion }>(
    "/v1/who-can",
    {
      schema: {
        operationId: "whoCan",
        summary: "Who may publish or subscribe that",
        tags,
        body: ref("WhoCanQuestion"),
        response: answers(200, "Everyone who may.", listOf("WhoCan")),
      },
    },
    ({ body }) => users.whoCan(body),
  );
}
