"""What the Paho scripts share: bounded waits, and checks that say what came instead."""

import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HOST = "127.0.0.1"
WAIT_SECONDS = 20
V31, V311, V5 = mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError("%s: %.2000r, not %.2000r" % (what, found, wanted))


class Client:
    """A Paho client with its own thread. What happens to it lies in lists, in order."""

    def __init__(self, version, name, transport="tcp", clean=True, path=None):
        self.version = version
        self.messages = []
        self.connects = []
        self.disconnects = []
        self.acknowledged = set()
        self.comes_back = True
        self.granted = {}
        self._changed = threading.Condition()
        options = {} if version == V5 else {"clean_session": clean}
        self.clean = clean
        self.paho = mqtt.Client(name, protocol=version, transport=transport, **options)
        if path is not None:
            self.paho.ws_set_options(path=path)
        self.paho.max_inflight_messages_set(50)
        self.paho.max_queued_messages_set(0)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = self._on_message
        self.paho.on_publish = self._on_publish
        self.paho.on_subscribe = self._on_subscribe

    def _tell(self, change):
        with self._changed:
            change()
            self._changed.notify_all()

    def _on_connect(self, _client, _data, flags, code, properties=None):
        told = (int(flags["session present"]), getattr(code, "value", code), properties)
        self._tell(lambda: self.connects.append(told))

    def _on_disconnect(self, _client, _data, code, properties=None):
        if not self.comes_back:
            self.paho.disconnect()  # there is no connection; this only keeps Paho from making another
        self._tell(lambda: self.disconnects.append((getattr(code, "value", code), properties)))

    def _on_message(self, _client, _data, message):
        self._tell(lambda: self.messages.append(message))

    def _on_publish(self, _client, _data, mid):
        self._tell(lambda: self.acknowledged.add(mid))

    def _on_subscribe(self, _client, _data, mid, codes, _properties=None):
        values = [getattr(code, "value", code) for code in codes]
        self._tell(lambda: self.granted.__setitem__(mid, values))

    def wait(self, is_so, what):
        with self._changed:
            if not self._changed.wait_for(is_so, WAIT_SECONDS):
                raise AssertionError("waited in vain for " + what)

    def connect(self, port, keepalive=60, expiry=None):
        count = len(self.connects)
        options = {}
        if self.version == V5:
            options["clean_start"] = self.clean
            if expiry is not None:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = expiry
        self.paho.connect(HOST, port, keepalive, **options)
        self.paho.loop_start()
        self.wait(lambda: len(self.connects) > count, "CONNACK")
        return self.connects[-1]

    def disconnect(self, **options):
        count = len(self.disconnects)
        self.paho.disconnect(**options)
        self.wait(lambda: len(self.disconnects) > count, "the end of the connection")
        self.paho.loop_stop()

    def cut(self):
        """Closes the socket without DISCONNECT, and does not come back."""
        self.comes_back = False
        self.paho.socket().shutdown(2)
        self.wait(lambda: len(self.disconnects) > 0, "the end of the connection")
        self.paho.loop_stop()

    def subscribe(self, topic, **options):
        mid = self.paho.subscribe(topic, **options)[1]
        self.wait(lambda: mid in self.granted, "SUBACK")
        return self.granted[mid]

    def publish(self, topic, payload, qos=0, **options):
        return self.paho.publish(topic, payload, qos, **options).mid

    def wait_acknowledged(self, mids):
        wanted = set(mids)
        self.wait(lambda: wanted <= self.acknowledged, "%d acknowledgements" % len(wanted))

    def wait_messages(self, count):
        self.wait(lambda: len(self.messages) >= count, "%d messages" % count)
        return list(self.messages)

    def payloads(self, topic=None):
        return [m.payload.decode() for m in self.messages if topic in (None, m.topic)]


def main(scenarios):
    """Runs the scenario that the command line names: SCENARIO VERSION PORT WEBSOCKET-PORT."""
    name, version, port, websocket_port = sys.argv[1:5]
    number = {"3.1": V31, "3.1.1": V311, "5": V5}[version]
    started = time.monotonic()
    scenarios[name](number, int(port), int(websocket_port))
    print("passed in %.1f s" % (time.monotonic() - started))
