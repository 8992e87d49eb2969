/** 5.0 section 2.2.2: properties that are unknown, out of place, there twice or out of range. */
import {
  conformanceTest,
  connectBytes,
  expectConnectRefused,
  expectEnds,
  field,
  onlyV5,
  packetBytes,
  propertyBytes,
} from "./harness/index.ts";

const malformedPacket = 0x81;
const protocolError = 0x82;
const versions = onlyV5;

/** One valid value of every property. */
const property = {
  payloadFormatIndicator: "01 00",
  messageExpiryInterval: "02 00000001",
  contentType: `03 ${field("text")}`,
  responseTopic: `08 ${field("answer")}`,
  correlationData: `09 ${field("data")}`,
  subscriptionIdentifier: "0b 01",
  sessionExpiryInterval: "11 00000001",
  assignedClientIdentifier: `12 ${field("id")}`,
  serverKeepAlive: "13 0001",
  authenticationMethod: `15 ${field("method")}`,
  authenticationData: `16 ${field("data")}`,
  requestProblemInformation: "17 01",
  willDelayInterval: "18 00000001",
  requestResponseInformation: "19 01",
  responseInformation: `1a ${field("information")}`,
  serverReference: `1c ${field("server")}`,
  reasonString: `1f ${field("reason")}`,
  receiveMaximum: "21 0001",
  topicAliasMaximum: "22 0001",
  topicAlias: "23 0001",
  maximumQos: "24 01",
  retainAvailable: "25 01",
  userProperty: `26 ${field("name")}${field("value")}`,
  maximumPacketSize: "27 00010000",
  wildcardSubscriptionAvailable: "28 01",
  subscriptionIdentifiersAvailable: "29 01",
  sharedSubscriptionAvailable: "2a 01",
} as const;
type PropertyName = keyof typeof property;

/** Without the two of enhanced authentication, which ask for a broker that knows the method. */
const inConnect: readonly PropertyName[] = [
  "sessionExpiryInterval",
  "requestProblemInformation",
  "requestResponseInformation",
  "receiveMaximum",
  "topicAliasMaximum",
  "userProperty",
  "maximumPacketSize",
];
const inMessage: readonly PropertyName[] = [
  "payloadFormatIndicator",
  "messageExpiryInterval",
  "contentType",
  "responseTopic",
  "correlationData",
  "userProperty",
];
const inWill = [...inMessage, "willDelayInterval"] as const;

interface Place {
  readonly name: string;
  readonly allowed: readonly PropertyName[];
  /** Neither allowed nor tested here. */
  readonly elsewhere?: readonly PropertyName[];
  readonly isConnect: boolean;
  /** A packet with these properties, right in all else. */
  bytesWith(properties: string): Buffer;
}

const places: readonly Place[] = [
  {
    name: "CONNECT",
    allowed: [...inConnect, "authenticationMethod", "authenticationData"],
    isConnect: true,
    bytesWith: (properties) => connectBytes(5, { properties }),
  },
  {
    name: "a will",
    allowed: inWill,
    isConnect: true,
    bytesWith: (properties) =>
      connectBytes(5, {
        flags: "06",
        payload: `${field("raw")}${properties}${field("t")}${field("")}`,
      }),
  },
  {
    name: "PUBLISH",
    allowed: [...inMessage, "topicAlias"],
    // a client's subscription identifier has a clause of its own, [MQTT-3.3.4-6], with a test of its own
    elsewhere: ["subscriptionIdentifier"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("30", `${field("t")}${properties}61`),
  },
  {
    name: "PUBACK",
    allowed: ["reasonString", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("40", `000100${properties}`),
  },
  {
    name: "PUBREC",
    allowed: ["reasonString", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("50", `000180${properties}`),
  },
  {
    name: "PUBREL",
    allowed: ["reasonString", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("62", `000100${properties}`),
  },
  {
    name: "PUBCOMP",
    allowed: ["reasonString", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("70", `000100${properties}`),
  },
  {
    name: "SUBSCRIBE",
    allowed: ["subscriptionIdentifier", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("82", `0001${properties}${field("t")}00`),
  },
  {
    name: "UNSUBSCRIBE",
    allowed: ["userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("a2", `0001${properties}${field("t")}`),
  },
  {
    name: "DISCONNECT",
    allowed: ["sessionExpiryInterval", "serverReference", "reasonString", "userProperty"],
    isConnect: false,
    bytesWith: (properties) => packetBytes("e0", `00${properties}`),
  },
];

const unknown = ["00", "04 00", "0a 00", "7f 00000000", "80 01", "ff7f 00"];

for (const { name, allowed, elsewhere = [], isConnect, bytesWith } of places) {
  const expectRefused = isConnect ? expectConnectRefused : expectEnds;
  const known = new Set<string>([...allowed, ...elsewhere]);
  const strangers = Object.entries(property).filter(([key]) => !known.has(key));

  conformanceTest(
    `5.0 [MQTT-4.13.1-1] unknown properties in ${name}`,
    { versions },
    async (world) => {
      for (const stranger of unknown) {
        await expectRefused(world, bytesWith(propertyBytes(stranger)), malformedPacket);
      }
    },
  );

  conformanceTest(
    `5.0 [MQTT-4.13.1-1] properties of other packets in ${name}`,
    { versions },
    async (world) => {
      for (const [, stranger] of strangers) {
        await expectRefused(world, bytesWith(propertyBytes(stranger)), malformedPacket);
      }
    },
  );

  conformanceTest(
    `5.0 [MQTT-4.13.1-1] a property that stands twice in ${name}`,
    { versions },
    async (world) => {
      for (const key of allowed) {
        if (key === "userProperty") continue;
        const method = key === "authenticationData" ? [property.authenticationMethod] : [];
        const twice = propertyBytes(...method, property[key], property[key]);
        await expectRefused(world, bytesWith(twice), protocolError);
      }
    },
  );
}

conformanceTest("5.0 everything that CONNECT may hold is accepted", { versions }, async (world) => {
  const client = await world.open();
  const properties = propertyBytes(
    ...inConnect.map((name) => property[name]),
    property.userProperty,
  );
  const will = propertyBytes(...inWill.map((name) => property[name]), property.userProperty);
  client.send(
    connectBytes(5, {
      flags: "06",
      properties,
      payload: `${field("raw")}${will}${field("t")}${field("")}`,
    }),
  );
  await client.expectPacket(2);
});

conformanceTest(
  "5.0 everything that other packets may hold is accepted",
  { versions },
  async (world) => {
    const client = await world.connect();
    for (const { name, allowed, isConnect, bytesWith } of places) {
      if (isConnect || name === "DISCONNECT") continue;
      client.send(
        bytesWith(propertyBytes(...allowed.map((key) => property[key]), property.userProperty)),
      );
      if (name === "PUBREL") await client.expectBytes("70 03 0001 92");
      if (name === "SUBSCRIBE") await client.expectBytes("90 04 0001 00 00");
      if (name === "UNSUBSCRIBE") await client.expectBytes("b0 04 0001 00 00");
      await client.ping();
    }
  },
);

const outOfRange = {
  "a receive maximum of 0": "21 0000",
  "a maximum packet size of 0": "27 00000000",
  "request problem information of 2": "17 02",
  "request response information of 2": "19 02",
  "authentication data without a method": property.authenticationData,
};

for (const [what, value] of Object.entries(outOfRange)) {
  conformanceTest(`5.0 [MQTT-4.13.1-1] CONNECT with ${what}`, { versions }, (world) =>
    expectConnectRefused(
      world,
      connectBytes(5, { properties: propertyBytes(value) }),
      protocolError,
    ),
  );
}

conformanceTest(
  "5.0 [MQTT-4.13.1-1] values out of range in a message",
  { versions },
  async (world) => {
    const publish = (value: string) => packetBytes("30", `${field("t")}${propertyBytes(value)}61`);
    await expectEnds(world, publish("01 02"), protocolError);
    await expectEnds(world, publish("23 0000"), 0x94);
    await expectEnds(world, publish(`08 ${field("a/#")}`), protocolError);
    const will = `${field("raw")}${propertyBytes("01 02")}${field("t")}${field("")}`;
    await expectConnectRefused(
      world,
      connectBytes(5, { flags: "06", payload: will }),
      protocolError,
    );
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-29] a client that wants no problem information gets every failure without words, but for DISCONNECT",
  {
    versions,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ topic }) => ({ allowed: topic !== "secret", rule: "nobody's secret" }),
      },
    },
  },
  async (world) => {
    const client = await world.open();
    client.send(connectBytes(5, { properties: "02 17 00" }));
    await client.expectPacket(2);
    client.send(
      packetBytes("32", `${field("secret")}000100`),
      packetBytes("34", `${field("secret")}000200`),
      packetBytes("82", `000300${field("secret")}00${field("a/#/b")}00`),
      packetBytes("a2", `000400${field("never")}${field("a/#/b")}`),
      packetBytes("50", "0005"),
      packetBytes("62", "0006"),
      packetBytes("32", `${field("nobody/listens")}000700`),
    );
    await client.expectBytes("40 03 0001 87  50 03 0002 87");
    await client.expectBytes("90 05 0003 00 878f  b0 05 0004 00 118f");
    await client.expectBytes("62 03 0005 92  70 03 0006 92  40 03 0007 10");
    client.send("0000");
    await client.expectDisconnected(0x81);
  },
);
