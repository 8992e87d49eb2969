/** Where messages go: every kind of sink, by its name. */
import type { SinkKind } from "./sink.ts";

export { isoTime } from "./reading-json.ts";
export { parseBytes } from "./setting-values.ts";
export {
  type ConfiguredSink,
  type MappedMessage,
  type Sink,
  type SinkKind,
  SinkRefusal,
  SinkUnavailable,
} from "./sink.ts";

/** Loaded when asked for: who writes to a file does not wait for a driver of PostgreSQL. In the order of the help. */
export const sinkKinds: Readonly<Record<string, () => Promise<SinkKind>>> = {
  stdout: async () => (await import("./stdout/index.ts")).stdoutSink,
  file: async () => (await import("./file/index.ts")).fileSink,
  graphite: async () => (await import("./graphite/index.ts")).graphiteSink,
  sqlite: async () => (await import("./sqlite/index.ts")).sqliteSink,
  influxdb: async () => (await import("./influxdb/index.ts")).influxdbSink,
  prometheus: async () => (await import("./prometheus/index.ts")).prometheusSink,
  postgres: async () => (await import("./postgres/index.ts")).postgresSink,
  mqtt: async () => (await import("./mqtt/index.ts")).mqttSink,
  http: async () => (await import("./http/index.ts")).httpSink,
};
