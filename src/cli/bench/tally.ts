/** What one run counts: plain numbers that the clients add to and the report reads. */
import { LatencyRecord } from "./latency-record.ts";

export class Tally {
  sent = 0;
  /** The wire's clock at the last message sent. */
  sentLastAt = 0;
  acknowledged = 0;
  /** Acknowledgements whose reason code refuses the message. */
  refused = 0;
  /** The first of those codes. */
  refusalCode = 0;
  /** The broker acknowledged what was not under way. */
  strangeAcknowledgements = 0;
  received = 0;
  receivedBytes = 0;
  /** Without a mark: nothing of them is checked. */
  unmarked = 0;
  /** Of another run of tbench, where only this one's are expected. */
  foreign = 0;
  /** Kept by the broker from before the subscription. */
  retained = 0;
  /** The wire's clock at the first and the last message or acknowledgement received. */
  firstAt = 0;
  lastAt = 0;
  readonly acknowledgementLatency = new LatencyRecord();
  readonly latency = new LatencyRecord();
  readonly connectTime = new LatencyRecord();
}
