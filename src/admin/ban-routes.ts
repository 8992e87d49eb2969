/** The routes of bans, which only a running broker has: it forgets them when it ends. */
import { TstackError } from "../base/index.ts";
import type { Bans } from "./ports.ts";
import { type AdminApi, answers, doneAnswer, listOf, pathPart } from "./routes.ts";

const tags = ["bans"];

/** `bans` is undefined where no broker runs. */
export function addBanRoutes(api: AdminApi, bans: Bans | undefined): void {
  const known = (): Bans => {
    if (bans !== undefined) return bans;
    const message = "no broker runs, and bans end with the broker: there are none";
    throw new TstackError("BROKER_NOT_RUNNING", message);
  };
  api.get(
    "/v1/bans",
    {
      schema: {
        operationId: "listBans",
        summary: "Addresses and users that gave wrong passwords, banned or watched",
        tags,
        response: answers(200, "All of them.", listOf("Ban")),
      },
    },
    () => known().listBans(),
  );
  api.delete<{ Params: { readonly subject: string } }>(
    "/v1/bans/:subject",
    {
      schema: {
        operationId: "liftBan",
        summary: "Lift the ban of an address or a user",
        tags,
        params: pathPart("subject", "An address or a user name, as the list has it."),
        response: doneAnswer("It may try again."),
      },
    },
    ({ params: { subject } }, reply) => {
      known().liftBan(subject);
      return reply.code(204).send();
    },
  );
}
