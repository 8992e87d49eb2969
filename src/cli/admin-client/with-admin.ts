/** What programs that administer a broker have in common: the option that names its folder, and the broker there to ask. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { AdminClient } from "./admin-client.ts";
import { openAdmin } from "./open-admin.ts";

/** It is that of the whole program, and may stand behind its commands too. */
export function addDataOption(program: Command): Command {
  return program.option("--data <folder>", "the folder of the broker (TSTACK_DATA, ./tstack-data)");
}

/** The broker's folder, as an absolute path. @throws UsageError */
export function locateFolder(command: Command, { environment }: ProgramIo): string {
  const { data } = command.optsWithGlobals<{ readonly data?: string }>();
  if (data === "") throw new UsageError("--data names no folder");
  return resolve(data ?? (environment.TSTACK_DATA || "./tstack-data"));
}

/** Lets `work` ask the broker that `command` names. */
export async function withAdmin(
  command: Command,
  io: ProgramIo,
  work: (client: AdminClient) => Promise<void>,
): Promise<void> {
  const client = await openAdmin(locateFolder(command, io), io);
  try {
    await work(client);
  } finally {
    await client.close();
  }
}
