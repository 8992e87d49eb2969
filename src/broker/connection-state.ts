/** The life of a connection. `connecting` lasts from CONNECT to CONNACK: identity and session are being found. */
export const ConnectionState = {
  awaitingConnect: 0,
  connecting: 1,
  connected: 2,
  closed: 3,
} as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];
