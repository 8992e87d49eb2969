"""What only MQTT 5.0 has, as Paho sees it: properties both ways, options of subscriptions, reasons."""

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

from paho_client import V5, Client, expect, main


def publish_properties(packet_type=PacketTypes.PUBLISH):
    properties = Properties(packet_type)
    properties.PayloadFormatIndicator = 1
    properties.ContentType = "text/plain; charset=utf-8"
    properties.ResponseTopic = "answers/here"
    properties.CorrelationData = b"\x00\x01\xfe\xff"
    properties.MessageExpiryInterval = 3600
    properties.UserProperty = [("room", "küche"), ("room", "cellar"), ("", "")]
    return properties


def expect_untouched(message):
    told = message.properties.json()
    seconds = told.pop("MessageExpiryInterval")
    if not 3500 < seconds <= 3600:
        raise AssertionError("%r s left" % seconds)
    told.pop("SubscriptionIdentifier", None)
    wanted = publish_properties().json()
    wanted.pop("MessageExpiryInterval")
    expect(told, wanted, "properties of " + message.topic)


def properties(_version, port, websocket_port):
    writer = Client(V5, "writer")
    writer.connect(port)
    reader = Client(V5, "reader", transport="websockets", path="/mqtt")
    reader.connect(websocket_port)
    identified = Properties(PacketTypes.SUBSCRIBE)
    identified.SubscriptionIdentifier = 11
    reader.subscribe("p/#", qos=2, properties=identified)
    for qos in (0, 1, 2):
        writer.publish("p/%d" % qos, "x", qos, retain=True, properties=publish_properties())
    lost = Client(V5, "lost")
    lost.paho.will_set("p/will", "x", 2, True, publish_properties(PacketTypes.WILLMESSAGE))
    lost.connect(port)
    lost.cut()
    late = Client(V5, "late")
    reader.wait_messages(4)
    late.connect(port)
    late.subscribe("p/#", qos=2)
    for client, identifiers in ((reader, [11]), (late, None)):
        messages = client.wait_messages(4)
        expect(len(messages), 4, "messages")
        for message in messages:
            found = getattr(message.properties, "SubscriptionIdentifier", None)
            expect(found, identifiers, "identifiers")
            expect_untouched(message)


def options(_version, port, _websocket_port):
    client = Client(V5, "options")
    other = Client(V5, "other")
    client.connect(port)
    other.connect(port)
    other.wait_acknowledged([other.publish("o/kept", "kept", 1, retain=True)])
    client.subscribe("o/local", options=SubscribeOptions(qos=1, noLocal=True))
    client.wait_acknowledged([client.publish("o/local", "own", 1)])
    never = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=2)
    expect(client.subscribe("o/kept", options=never), [1], "SUBACK")
    other.wait_acknowledged([other.publish("o/kept", "as published", 2, retain=True)])
    new_only = SubscribeOptions(qos=2, retainHandling=1)
    expect(client.subscribe([("o/kept", new_only), ("o/+", new_only)]), [2, 2], "SUBACK")
    other.wait_acknowledged([other.publish("o/local", "end", 2)])
    client.wait(lambda: "end" in client.payloads(), "the end")
    got = [(m.payload, m.retain, m.qos) for m in client.messages]
    expect(got, [(b"as published", True, 1), (b"as published", True, 2), (b"end", False, 2)], "messages")


def reasons(_version, port, _websocket_port):
    client = Client(V5, "reasons")
    told = client.connect(port, expiry=4_000_000_000)[2]
    expect(told.SessionExpiryInterval, 7_776_000, "session expiry")
    expect(hasattr(told, "ReceiveMaximum"), False, "Receive Maximum, where it is the standard's")
    expect(client.subscribe("secret/#", qos=1), [0x87], "SUBACK")
    expect(client.subscribe([("a", SubscribeOptions(qos=2)), ("b", SubscribeOptions(qos=0))]), [2, 0], "SUBACK")
    unsubscribed = []
    client.paho.on_unsubscribe = lambda *more: unsubscribed.append(more[4])
    client.paho.unsubscribe(["a", "never"])
    # A topic of the broker's own: it is refused, and the connection goes on.
    client.wait_acknowledged([client.publish("$SYS/x", "x", 1)])
    expect(len(client.disconnects), 0, "disconnects")
    codes = unsubscribed[0] if isinstance(unsubscribed[0], list) else [unsubscribed[0]]
    expect([code.value for code in codes], [0, 0x11], "UNSUBACK")
    # Larger than the broker takes.
    client.comes_back = False
    client.publish("large", b"x" * 5000)
    client.wait(lambda: len(client.disconnects) > 0, "DISCONNECT")
    code, properties_told = client.disconnects[0]
    expect(code, 0x95, "reason")
    if "packetBytesMax" not in properties_told.ReasonString:
        raise AssertionError(properties_told.ReasonString)


def leave_with_will(_version, port, _websocket_port):
    """DISCONNECT with code 4 leaves the will; with a session expiry of 0 it ends the session too."""
    watcher = Client(V5, "watcher")
    watcher.connect(port)
    watcher.subscribe("w", qos=2)
    leaving = Client(V5, "leaving", clean=False)
    will = Properties(PacketTypes.WILLMESSAGE)
    will.WillDelayInterval = 100
    leaving.paho.will_set("w", "left", 2, False, will)
    leaving.connect(port, expiry=600)
    end = Properties(PacketTypes.DISCONNECT)
    end.SessionExpiryInterval = 0
    leaving.disconnect(reasoncode=ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message"), properties=end)
    # The session is over, so the will does not wait for its 100 s.
    expect([m.payload for m in watcher.wait_messages(1)], [b"left"], "will")
    again = Client(V5, "leaving", clean=False)
    expect(again.connect(port)[0], 0, "session present")


main({"properties": properties, "options": options, "reasons": reasons, "leave-with-will": leave_with_will})
