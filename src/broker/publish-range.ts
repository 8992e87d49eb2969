/**
 * Consecutive QoS 0 frames of one publisher with the same topic, as they lie in one chunk. They are delivered
 * together when another packet comes or the chunk ends, so their order is kept.
 */
export interface PublishRange {
  bytes: Buffer;
  start: number;
  end: number;
  /** Frames from start to end. 0: there is no range. */
  count: number;
  /** The longest of them. */
  frameBytesMax: number;
  readonly topic: string;
  readonly publisher: string;
  readonly isV5: boolean;
}
