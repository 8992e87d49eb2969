/** An application message as a consumer takes it from a broker: the packet's facts and when it came. */

export interface ConsumedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /**
   * Microseconds since 1970, by the clock of this machine. No two messages of one consumer have the same: of what
   * carries no time of its own, this is what tells two equal messages apart.
   */
  readonly arrivedAt: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  /** MQTT 5.0, section 3.3.2.3.7: in the order in which they came. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}
