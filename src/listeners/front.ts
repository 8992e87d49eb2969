/**
 * A port whose connections have more to do than MQTT: accept, then the PROXY header, then TLS, where the listener has
 * them, and only then what `deliver` makes of them. Plain TCP has nothing of this and does without (`tcp.ts`).
 */
import { createServer } from "node:net";
import { type Arrival, Arrivals } from "./arrivals.ts";
import { formatListenUrl, type TcpAddress, type WebSocketAddress } from "./listen-url.ts";
import type { ListenContext, Listener } from "./listener.ts";
import { newProxyStep, type Step } from "./proxy-protocol.ts";
import { closeServer, keepAliveMilliseconds, openPort } from "./server.ts";
import type { SocketNames } from "./socket-transport.ts";
import { TlsStep } from "./tls-step.ts";

/** A connection that is ready for what its listener speaks: MQTT or HTTP. */
export interface Delivery {
  readonly arrival: Arrival;
  /** The broker takes it now. Until then its time runs. */
  release(): SocketNames;
}

export async function listenThrough(
  address: TcpAddress | WebSocketAddress,
  context: ListenContext,
  deliver: (delivery: Delivery) => void,
): Promise<Listener> {
  const { limits, log, proxyProtocol } = context;
  const asked = formatListenUrl(address);
  const steps: Step[] = [];
  if (proxyProtocol !== undefined) steps.push(newProxyStep(proxyProtocol, asked, log));
  const tls = address.isEncrypted ? await TlsStep.open(address, context) : undefined;
  if (tls !== undefined) steps.push(tls.step);
  const server = createServer({
    // TLS itself must see that a client goes in the middle of the handshake, and ends.
    allowHalfOpen: !address.isEncrypted,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMilliseconds,
  });
  const listener = formatListenUrl(await openPort(server, address, log));
  tls?.watch();
  const arrivals = new Arrivals(limits, listener, log);
  const last = (arrival: Arrival): void => {
    const release = (): SocketNames => {
      arrivals.release(arrival);
      const { remoteAddress, clientCertificate } = arrival;
      return { remoteAddress, listener, clientCertificate };
    };
    deliver({ arrival, release });
  };
  const pass = steps.reduceRight<(arrival: Arrival) => void>(
    (next, step) => (arrival) => step(arrival, next),
    last,
  );
  server.on("connection", (accepted) => {
    const arrival = arrivals.admit(accepted);
    if (arrival !== undefined) pass(arrival);
  });
  const close = async (): Promise<void> => {
    tls?.close();
    await closeServer(server);
    arrivals.close();
  };
  return { url: listener, close };
}
