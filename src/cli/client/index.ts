/** What the client programs share: the command line, the way to a broker, and how they end. */
export { parseBrokerUrl } from "./broker-url.ts";
export { Ending, quietly, reportFailures, runToEnd } from "./client-program.ts";
export {
  addConnectionOptions,
  type ConnectionArguments,
  gather,
  parseArguments,
  readSeconds,
  readWhole,
} from "./command-line.ts";
export {
  type ConnackPacket,
  Connection,
  type PublishPacket,
  type SubscribeOutcome,
} from "./connection.ts";
export {
  type ConnectionOptions,
  type Endpoint,
  readOptionFile,
  resolveConnection,
} from "./connection-options.ts";
export {
  describeCode,
  describeSystemError,
  explainEnd,
  ProgramFailure,
  type Reason,
  UsageError,
} from "./failure.ts";
export type { OwedAcknowledgement } from "./owed-acknowledgements.ts";
export { describeRefusals } from "./refused-filters.ts";
export { openTalk, type Talk } from "./talk.ts";
export { topicFilterMistake, topicNameMistake } from "./topic-filter.ts";
export { describeEndpoint, openTransport } from "./transport.ts";
export { UnacknowledgedStore } from "./unacknowledged-store.ts";
