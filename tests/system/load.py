# SPDX-License-Identifier: Apache-2.0
"""A daemon under load whose losses would be seen: numbered QoS 1 messages, a counter that is polled
and values that exceed; and the eyes on it. The load of test_kill.py."""
import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until, wait_while_it_grows
from test_kill import FIRST, Acknowledgements, Stream, Watch, check_files


class Load:
    def __init__(self, make_daemon, broker, sites=4, **more):
        self.broker = broker
        self.instrument = servers.Instrument(counter=0).start()
        self.n_sites = sites
        self.daemon = make_daemon(
            [modbus_connection(self.instrument.port, interval_ms=50, timeout_ms=2000),
             # a slow machine is no slow disk: nothing is acknowledged unrecorded
             mqtt_connection(broker.port, ack_timeout_ms=8000)],
            [site("load", [modbus_monitor("w01018", type="uint32"),
                           mqtt_monitor("w01003", "load/+", rest='value = "/v"; time = "/t";')]),
             *(site(f"s{n}", [modbus_monitor("w21003", address=FIRST + 2 * n,
                                             limits="{ max = 50.0; }")])
               for n in range(sites))], **more)
        self.subscribed()
        self.stream = Stream(broker)
        self.watch = Watch(self.daemon, self.instrument, Acknowledgements(broker))
        self.in_doubt = set()  # acknowledged while the disk was going: they may be lost
        self.stream.start()
        self.stream.going.set()

    def subscribed(self):
        wait_until(lambda: self.broker.subscribed("edge"), what="the subscription")

    def exceed(self, n, value=60.0):
        self.instrument.set_float(FIRST + 2 * n, value)

    def acknowledged(self):
        return len(self.watch.acknowledgements.read())

    def more_acknowledged(self, n=20):
        """Waits until the daemon has acknowledged so many more."""
        wanted = self.acknowledged() + n
        wait_until(lambda: self.acknowledged() >= wanted, 30, f"{n} more acknowledged messages")

    def check_messages(self):
        """The daemon may live: what is acknowledged before the daybook is read has to be in it."""
        acknowledged = self.watch.acknowledgements.read() - self.in_doubt
        recorded = self.watch.read_daybook("w01003")
        lost, twice = acknowledged - set(recorded), [v for v, n in recorded.items() if n > 1]
        assert not lost, f"acknowledged and not in the daybook: {sorted(lost)[:20]}"
        assert not twice, f"recorded more than once: {twice[:20]}"

    def end(self, cases):
        """All that was sent is there once, each case has one number, and the files are whole."""
        self.stream.ending.set()
        self.stream.join(20)
        wait_while_it_grows(self.acknowledged, self.stream.sent,
                            what="the broker being rid of all messages")
        wait_until(lambda: len(self.daemon.cases()) == cases, 20, f"{cases} cases")
        self.check_messages()
        self.watch.check_cases()
        wait_until(lambda: len(self.daemon.delivered("case.opened")) == cases,
                   what="all deliveries")
        self.watch.check_deliveries()
        self.daemon.stop()
        check_files(self.daemon)

    def close(self):
        self.stream.ending.set()
        self.instrument.stop()
