/** From messages to sinks: lanes, spools and dead letters, and what of it is safe. Knows nothing of MQTT. */
export { Pipeline } from "./pipeline.ts";
export {
  defaultPipelineLimits,
  type PipelineCounts,
  type PipelineLimits,
  type PipelineSink,
  type SinkCounts,
  type SinkState,
} from "./pipeline-options.ts";
