/** Two clients that have nothing to do with the rest of a test, and must not notice it. */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../../src/codec/index.ts";
import { publishPacket } from "./packets.ts";
import type { RawClient } from "./raw-client.ts";
import type { World } from "./world.ts";

const topic = "bystander/topic";

export class Bystander {
  readonly #subscriber: RawClient;
  readonly #publisher: RawClient;
  #count = 0;

  private constructor(subscriber: RawClient, publisher: RawClient) {
    this.#subscriber = subscriber;
    this.#publisher = publisher;
  }

  static async start(world: World): Promise<Bystander> {
    const protocolVersion = ProtocolVersion.v3_1_1;
    const subscriber = await world.connect({ protocolVersion, clientIdentifier: "bystander-sub" });
    const publisher = await world.connect({ protocolVersion, clientIdentifier: "bystander-pub" });
    await subscriber.subscribe(topic, { qos: 0 });
    return new Bystander(subscriber, publisher);
  }

  /** Both connections stand, one message goes through, and nothing else has come. */
  async expectUndisturbed(): Promise<void> {
    const payload = `${this.#count++}`;
    this.#publisher.send(publishPacket(topic, payload));
    const message = await this.#subscriber.expectPacket(PacketType.publish);
    assert.equal(message.topic, topic);
    assert.equal(Buffer.from(message.payload).toString(), payload);
    await this.#publisher.ping();
    await this.#subscriber.ping();
  }
}
