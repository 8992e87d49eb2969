"""Messages between Paho clients: every QoS both ways in order, retained messages, wills, sessions, takeovers."""

from paho_client import V31, V311, V5, Client, expect, main

EVERY_QOS = (0, 1, 2)


def exchange(version, port, websocket_port):
    """1,000 messages of each QoS, from TCP to WebSocket and back, exactly once and in order."""
    ends = [
        Client(version, "tcp-end"),
        Client(version, "ws-end", transport="websockets", path="/mqtt"),
    ]
    for client, to_port in zip(ends, (port, websocket_port)):
        client.connect(to_port)
        # Each hears only the other: 3.1 and 3.1.1 have no "no local".
    expect(ends[0].subscribe("from-ws/#", qos=2), [2], "SUBACK")
    expect(ends[1].subscribe("from-tcp/#", qos=2), [2], "SUBACK")
    wanted = [str(number) for number in range(1000)]
    for sender, receiver, source in ((ends[0], ends[1], "from-tcp"), (ends[1], ends[0], "from-ws")):
        mids = [
            sender.publish("%s/%d" % (source, qos), text, qos)
            for text in wanted
            for qos in EVERY_QOS
        ]
        expect(len(mids), 3000, "published")
        messages = receiver.wait_messages(3000)
        expect(len(messages), 3000, "messages")
        for qos in EVERY_QOS:
            topic = "%s/%d" % (source, qos)
            expect(receiver.payloads(topic), wanted, "order of " + topic)
        for message in messages:
            expect((message.qos, message.retain), (int(message.topic[-1]), False), message.topic)
            expect(message.dup, False, "DUP of " + message.topic)
    for client in ends:
        client.disconnect()
        expect(client.disconnects[-1][0], 0, "end")


def retain(version, port, websocket_port):
    early = Client(version, "early")
    early.connect(port)
    early.subscribe("kept/#", qos=2)
    mids = [early.publish("kept/%d" % qos, text, qos, retain=True) for qos in EVERY_QOS for text in ("old", "new")]
    early.wait_acknowledged(mids)
    expect([m.retain for m in early.wait_messages(6)], [False] * 6, "RETAIN of live messages")
    late = Client(version, "late", transport="websockets", path="/mqtt")
    late.connect(websocket_port)
    late.subscribe("kept/#", qos=2)
    late.wait_messages(3)
    early.wait_acknowledged([early.publish("kept/end", "end", 2)])
    got = sorted((m.topic, m.payload, m.qos, m.retain) for m in late.wait_messages(4))
    kept = [("kept/%d" % qos, b"new", qos, True) for qos in EVERY_QOS]
    expect(got, kept + [("kept/end", b"end", 2, False)], "retained messages")
    early.wait_acknowledged([early.publish("kept/%d" % qos, b"", 1, retain=True) for qos in EVERY_QOS])
    last = Client(version, "last")
    last.connect(port)
    last.subscribe("kept/#", qos=2)
    early.wait_acknowledged([early.publish("kept/end", "end", 2)])
    expect([m.payload for m in last.wait_messages(1)], [b"end"], "after the deletion")


def leave_will(version, port, _websocket_port):
    watcher = Client(version, "watcher")
    watcher.connect(port)
    watcher.subscribe("will/#", qos=2)
    for qos in EVERY_QOS:
        lost = Client(version, "lost-%d" % qos)
        lost.paho.will_set("will/%d" % qos, "gone", qos, retain=True)
        lost.connect(port)
        lost.cut()
        watcher.wait_messages(qos + 1)
    polite = Client(version, "polite")
    polite.paho.will_set("will/polite", "gone", 1)
    polite.connect(port)
    polite.disconnect()
    watcher.publish("will/end", "end", 2)
    watcher.wait(lambda: "end" in watcher.payloads(), "the last message")
    got = [(m.topic, m.qos, m.retain) for m in watcher.messages]
    expect(got, [("will/%d" % qos, qos, False) for qos in EVERY_QOS] + [("will/end", 2, False)], "wills")


def keep_session(version, port, _websocket_port):
    """Queued while away, with a brutal end between: QoS 2 comes exactly once, in order."""
    publisher = Client(version, "publisher")
    publisher.connect(port)
    expiry = 600 if version == V5 else None
    first = Client(version, "kept", clean=False)
    expect(first.connect(port, expiry=expiry)[0], 0, "session present")
    first.subscribe("away/#", qos=2)
    first.cut()
    wanted = [str(number) for number in range(1000)]
    mids = [publisher.publish("away/%d" % qos, text, qos) for text in wanted for qos in (1, 2)]
    publisher.wait_acknowledged(mids)
    second = Client(version, "kept", clean=False)
    present = second.connect(port, expiry=expiry)[0]
    expect(present, 0 if version == V31 else 1, "session present")  # 3.1 has no word for it
    second.wait_messages(2000)
    publisher.wait_acknowledged([publisher.publish("away/2", "end", 2)])
    expect(len(second.wait_messages(2001)), 2001, "messages")
    expect(second.payloads("away/1"), wanted, "order of QoS 1")
    expect(second.payloads("away/2"), wanted + ["end"], "order of QoS 2")
    second.disconnect()
    clean = Client(version, "kept", clean=True)
    expect(clean.connect(port)[0], 0, "session present after a clean start")


def come_back(version, port, _websocket_port):
    """Paho's own reconnect, with the publisher's messages under way; the session holds the order."""
    expiry = 600 if version == V5 else None
    reader = Client(version, "reader", clean=False)
    writer = Client(version, "writer", clean=False)
    for client in (reader, writer):
        client.connect(port, expiry=expiry)
    reader.subscribe("back/#", qos=2)
    wanted = [str(number) for number in range(600)]
    mids = []
    for index, text in enumerate(wanted):
        mids += [writer.publish("back/%d" % qos, text, qos) for qos in (1, 2)]
        if index in (200, 400):
            client = reader if index == 200 else writer
            client.paho.socket().shutdown(2)
    writer.wait_acknowledged(mids)
    for topic in ("back/1", "back/2"):
        reader.wait(lambda: set(wanted) <= set(reader.payloads(topic)), "all of " + topic)
    expect(len(reader.connects), 2, "connections of the reader")
    expect(len(writer.connects), 2, "connections of the writer")
    expect(reader.payloads("back/2"), wanted, "QoS 2 exactly once, in order")
    firsts = list(dict.fromkeys(reader.payloads("back/1")))
    expect(firsts, wanted, "QoS 1 at least once, in order")


def take_over(version, port, _websocket_port):
    watcher = Client(version, "watcher")
    watcher.connect(port)
    watcher.subscribe("will/taken", qos=1)
    first = Client(version, "taken")
    first.paho.will_set("will/taken", "taken", 1)
    first.connect(port)
    first.comes_back = False
    second = Client(version, "taken")
    second.connect(port)
    first.wait(lambda: len(first.disconnects) > 0, "the end of the first")
    expect(first.disconnects[0][0], 0x8E if version == V5 else 7, "reason")
    if version != V5:
        expect(first.disconnects[0][1], None, "properties")
    watcher.wait_messages(1)
    second.subscribe("second", qos=1)
    watcher.publish("second", "still here", 1)
    second.wait_messages(1)


main(
    {
        "exchange": exchange,
        "retain": retain,
        "leave-will": leave_will,
        "keep-session": keep_session,
        "come-back": come_back,
        "take-over": take_over,
    }
)
