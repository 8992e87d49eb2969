/** How many connections there are, failed and were lost, and why, each reason once. */
import { ProgramFailure } from "../client/index.ts";

/** What this machine refuses, whatever the broker says, and what to do about it. */
const ownLimits: Readonly<Record<string, string>> = {
  EMFILE:
    "this process may open no more files: each connection is one, so raise the limit with ulimit -n before tbench",
  ENFILE: "this machine has no more files to open: raise fs.file-max",
  EADDRNOTAVAIL:
    "no local port is left towards this address: connect from more addresses with -A 127.0.0.2,127.0.0.3, or widen net.ipv4.ip_local_port_range",
  ENOBUFS: "this machine has no memory left for sockets",
  ENOMEM: "this machine has no memory left for sockets",
};

export class ConnectionCount {
  opened = 0;
  failed = 0;
  lost = 0;
  readonly reasons = new Map<string, number>();
  /** Opening more is of no use. */
  isAtOwnLimit = false;
  #firstFailure: ProgramFailure | undefined;

  /** Those that are open. */
  get open(): number {
    return this.opened - this.lost;
  }

  fail(failure: ProgramFailure): void {
    const limit = ownLimit(failure);
    if (limit !== undefined) this.isAtOwnLimit = true;
    this.#firstFailure ??= failure;
    this.failed += 1;
    this.#note(limit ?? failure.message);
  }

  lose(failure: ProgramFailure): void {
    this.lost += 1;
    this.#note(failure.message);
  }

  /** Why not all of `asked` are open. The exit code is that of the first refusal. */
  explain(asked: number): ProgramFailure {
    const first = this.#firstFailure;
    const reason = first === undefined ? "" : `: ${ownLimit(first) ?? first.message}`;
    return new ProgramFailure(`${this.opened} of ${asked} clients are connected${reason}`, {
      cause: first,
      exitCode: first?.exitCode,
    });
  }

  #note(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

function ownLimit(failure: ProgramFailure): string | undefined {
  const code = (failure.cause as { readonly code?: string } | undefined)?.code;
  return code === undefined ? undefined : ownLimits[code];
}
