/** treg itself: from its options to a service that listens, until a signal. */
import type { Server } from "node:tls";
import type { Command } from "commander";
import { isLoopbackUrl, parseListenUrl } from "../../listeners/index.ts";
import { addDataOption, locateFolder } from "../admin-client/index.ts";
import {
  describeSystemError,
  ProgramFailure,
  parseBrokerUrl,
  UsageError,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { Audit } from "./audit.ts";
import { findBrokerMissing, registerAt } from "./broker-users.ts";
import { readServedFiles, watchServedFiles } from "./served-files.ts";
import { createService } from "./service.ts";

interface ServeArguments {
  readonly listen: string;
  readonly broker?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly cafile?: string;
  readonly audit?: string;
  readonly insecureHttp?: boolean;
}

interface ListenAddress {
  readonly isEncrypted: boolean;
  readonly host: string;
  readonly port: number;
}

export function addServeOptions(program: Command, io: ProgramIo): void {
  addDataOption(program)
    .option(
      "-l, --listen <url>",
      "https://host:port, or http:// behind a proxy",
      "https://0.0.0.0:8443",
    )
    .option("--broker <url>", "where devices find the broker: mqtts://host:8883")
    .option("--cert <file>", "certificate of this server (PEM)")
    .option("--key <file>", "its private key (PEM)")
    .option("--cafile <file>", "CA of the broker, for devices (PEM); without, their system's")
    .option("--audit <file>", "append a line for each registration there (default: to stdout)")
    .option("--insecure-http", "allow http:// on an address that others can reach")
    .action((options: ServeArguments, command: Command) => serve(options, command, io));
}

async function serve(options: ServeArguments, command: Command, io: ProgramIo): Promise<void> {
  const address = readListenUrl(options);
  const broker = readBroker(options, io);
  const files = { cert: options.cert, key: options.key, cafile: options.cafile };
  let served = await readServedFiles(files);
  const folder = locateFolder(command, io);
  const brokerMissing = await findBrokerMissing(folder);
  const say = (line: string) => io.stderr.write(`treg: ${line}\n`);
  const service = await createService({
    register: registerAt(folder),
    broker,
    ca: () => served.ca,
    audit: await Audit.open(options.audit, io),
    tls: address.isEncrypted ? served.tls : undefined,
    bug: (error) => say(`a bug, please report it: ${error instanceof Error ? error.stack : error}`),
  });
  const stopWatching = await watchServedFiles(
    files,
    (content) => {
      served = content;
      const server = service.server as unknown as Server;
      if (address.isEncrypted && content.tls !== undefined) server.setSecureContext(content.tls);
      say("the certificate or the CA has changed, and is served from now on");
    },
    (reason) => say(`${reason}; what was served before is served on`),
  );
  const interrupted = Promise.withResolvers<void>();
  const offInterrupt = io.onInterrupt(() => interrupted.resolve());
  try {
    say(`listens on ${await listen(service, address, options.listen)}`);
    if (brokerMissing !== undefined) say(`${brokerMissing}: nobody can register until one does`);
    await interrupted.promise;
  } finally {
    offInterrupt();
    stopWatching();
    await service.close();
  }
}

/** Answers the URL as it was given, with the port that was free where that is 0. */
async function listen(
  service: { listen(options: { host: string; port: number }): Promise<string> },
  { host, port }: ListenAddress,
  url: string,
): Promise<string> {
  try {
    // fastify names one address, which 0.0.0.0 is not.
    const [free] = /:\d+$/.exec(await service.listen({ host, port })) ?? [`:${port}`];
    return url.replace(/:\d+\/?$/, free);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "EADDRINUSE" ? "another program listens there" : describeSystemError(error as Error);
    throw new ProgramFailure(`cannot listen on ${url}: ${reason}`, { cause: error });
  }
}

function readListenUrl({ listen, cert, key, insecureHttp }: ServeArguments): ListenAddress {
  const [, scheme, host, port] =
    /^(https?):\/\/(\[[\da-f:.]+\]|[^/:[\]]+):(\d{1,5})\/?$/i.exec(listen) ?? [];
  if (scheme === undefined || Number(port) > 65_535) {
    throw new UsageError(`--listen takes https://host:port, not "${listen}"`);
  }
  const isEncrypted = scheme.toLowerCase() === "https";
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--cert and --key belong together");
  }
  if (isEncrypted && cert === undefined) {
    throw new UsageError(
      'without TLS keys and passwords would go over the network for all to read: add --cert and --key ("tstack cert" makes them)',
    );
  }
  if (!isEncrypted && cert !== undefined) {
    throw new UsageError("--cert is for https://: change --listen");
  }
  if (!isEncrypted && !insecureHttp && !isLoopbackUrl(parseListenUrl(`ws://${host}:${port}`))) {
    throw new UsageError(
      "plain HTTP is for loopback addresses, behind a proxy that speaks HTTPS; --insecure-http allows it here",
    );
  }
  return { isEncrypted, host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function readBroker({ broker }: ServeArguments, io: ProgramIo): string {
  if (broker === undefined) {
    throw new UsageError(
      "devices must be told where the broker is: add --broker mqtts://host:8883",
    );
  }
  const { scheme, username, topic } = parseBrokerUrl(broker);
  if (username !== undefined || topic !== undefined) {
    throw new UsageError("--broker takes a URL without a user and without a topic");
  }
  if (scheme === "unix") throw new UsageError("--broker is for other machines: not a Unix socket");
  if (scheme === "mqtt" || scheme === "ws") {
    io.stderr.write(
      "treg: warning: devices will send their passwords to this broker unencrypted\n",
    );
  }
  return broker;
}
