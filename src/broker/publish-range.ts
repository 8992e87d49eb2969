/**
 * Consecutive frames of one publisher with the same topic and QoS 0 or 1, without RETAIN, DUP or properties, as they
 * lie in one chunk. They are delivered together when another packet comes or the chunk ends, so their order is kept.
 */
export interface PublishRange {
  bytes: Buffer;
  start: number;
  end: number;
  /** Frames from start to end. */
  count: number;
  /** The longest of them. */
  frameBytesMax: number;
  readonly qos: 0 | 1;
  readonly topic: string;
  /** Of the topic, as it stands in every frame. */
  readonly topicBytes: number;
  readonly publisher: string;
  readonly isV5: boolean;
}
