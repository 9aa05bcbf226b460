# SPDX-License-Identifier: Apache-2.0
"""Types, orders and models of instruments, with pymodbus as the instrument and as the oracle."""
import math
import struct
import time

import pytest

from conftest import monitor, modbus_connection, site
from servers import wait_until

HOUR = 3600


def words_of_float(value):
    return struct.unpack(">HH", struct.pack(">f", value))


def put(instrument, address, *words):
    with instrument.lock:
        for i, word in enumerate(words):
            instrument.registers[address + i] = word


def polls(instrument, n):
    """Waits until the instrument has been asked n times more."""
    until = instrument.requests + n
    wait_until(lambda: instrument.requests >= until, what=f"{n} more requests")


def local(seconds):
    """A civil time of node.timezone, Asia/Shanghai, as six registers, and as the API writes it."""
    civil = time.gmtime(seconds + 8 * HOUR)
    return civil[:6], time.strftime("%Y-%m-%dT%H:%M:%S.000+08:00", civil)


# --- an analyser that says when it measured ---

class Analyser:
    """The registers of the Jiangsu protocol, as the model jiangsu-analyser has them."""

    def __init__(self, instrument):
        self.instrument = instrument
        put(instrument, 30018, 1, 0, 1, 0)

    def result(self, value, at, valid=1, alarm=0):
        civil, text = local(at)
        put(self.instrument, 30021, alarm)
        put(self.instrument, 30001, valid, *words_of_float(value), *words_of_float(9000), *civil)
        return text


def analyser_site(limits=""):
    return site("outfall-3", [monitor("w01018", "line",
                                      'unit_id = 1; model = "jiangsu-analyser"; '
                                      'quantity = "concentration";', limits)])


@pytest.fixture
def analyser(instrument):
    return Analyser(instrument)


def test_a_result_counts_once_by_its_sample_time(make_daemon, instrument, analyser):
    now = int(time.time())
    first = analyser.result(61.5, now - 1200)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)],
                         [analyser_site("{ max = 50.0; on_count = 2; }")])
    wait_until(lambda: daemon.readings("outfall-3"), what="a first result")
    polls(instrument, 20)
    reading, = daemon.readings("outfall-3")
    assert (reading["time"], reading["value"], reading["flag"]) == (first, 61.5, "N")
    assert daemon.alerts(kind="exceedance") == []
    second = analyser.result(62.5, now - 600)
    alert, = wait_until(lambda: daemon.alerts(kind="exceedance"), what="the alert")
    assert (alert["began_at"], alert["raised_at"], alert["value"]) == (first, second, 62.5)
    polls(instrument, 10)
    assert [r["time"] for r in daemon.readings("outfall-3")] == [first, second]


def test_what_the_analyser_says_of_itself_becomes_a_flag(make_daemon, instrument, analyser):
    now = int(time.time())
    analyser.result(20.0, now - 1200, valid=0)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)], [analyser_site()])
    wait_until(lambda: len(daemon.readings("outfall-3")) == 1, what="a first reading")
    good = analyser.result(21.5, now - 900)
    wait_until(lambda: len(daemon.readings("outfall-3")) == 2, what="a result")
    analyser.result(22.5, now - 600, alarm=3)
    wait_until(lambda: len(daemon.readings("outfall-3")) == 3, what="a result under an alarm")
    assert [(r["value"], r["flag"]) for r in daemon.readings("outfall-3")] == \
        [(None, "D"), (21.5, "N"), (22.5, "D")]
    assert daemon.readings("outfall-3")[1]["time"] == good


def test_an_outage_makes_no_result_late(make_daemon, instrument, analyser):
    """The alarm register is refused, so there is no value; what was measured meanwhile still counts."""
    now = int(time.time())
    first = analyser.result(20.0, now - 1200)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)],
                         [analyser_site("{ max = 50.0; }")])
    wait_until(lambda: daemon.readings("outfall-3"), what="a first result")
    def refusals():
        return daemon.metric("ducha_polls_total", result="exception")

    instrument.refused.add(30021)
    wait_until(lambda: len(daemon.readings("outfall-3")) == 2, what="the outage")
    wait_until(lambda: refusals() > 5, what="refusals")
    outage = daemon.readings("outfall-3")[1]
    assert (outage["value"], outage["flag"]) == (None, "B")
    assert outage["time"][:-10] == first[:-10]
    second = analyser.result(61.5, now - 600)
    before = refusals()
    wait_until(lambda: refusals() > before + 5, what="more refusals")
    assert len(daemon.readings("outfall-3")) == 2
    instrument.refused.clear()
    alert, = wait_until(lambda: daemon.alerts(kind="exceedance"), what="the alert")
    assert (alert["began_at"], alert["value"]) == (second, 61.5)


def test_an_instrument_without_a_clock_is_read_at_the_receipt(make_daemon, instrument, analyser):
    analyser.result(20.5, 946684800 + 77)  # 2000-01-01
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)], [analyser_site()])
    wait_until(lambda: len(daemon.readings("outfall-3")) > 2, what="readings")
    for reading in daemon.readings("outfall-3"):
        assert (reading["value"], reading["flag"]) == (20.5, "N")
        assert reading["time"] == reading["received_at"]


# --- a transmitter with states ---

def test_a_transmitter_flags_its_values(make_daemon, instrument):
    """AI2 of a Liquiline: value at 4, state at 6, input registers."""
    put(instrument, 4, *words_of_float(7.25), 0)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)],
                         [site("outfall-3", [monitor("w01001", "line",
                                                     'unit_id = 1; model = "eh-liquiline-cm44x"; '
                                                     'input = 2;')])])

    def newest():
        reading = (daemon.readings("outfall-3") or [None])[-1]
        return reading and (reading["value"], reading["flag"])

    for state, words, expected in [(0, words_of_float(7.25), (7.25, "N")),
                                   (1, words_of_float(7.5), (7.5, "D")),
                                   (2, (0x7FA0, 0), (None, "D")),
                                   (0, (0x7FA0, 0), (None, "D")),
                                   (3, words_of_float(6.5), (6.5, "D")),
                                   (0, words_of_float(8.5), (8.5, "N"))]:
        put(instrument, 4, *words, state)
        wait_until(lambda: newest() == expected, what=f"{expected} in state {state}")


# --- every type in every order ---

INTEGERS = {"int16": 16, "int32": 32, "int64": 64, "uint16": 16, "uint32": 32, "uint64": 64}
FLOATS = {"float32": 32, "float64": 64}
TINY, HUGE = 2.0 ** -149, struct.unpack(">f", b"\x7f\x7f\xff\xff")[0]


def rounds(kind):
    """What the oracle writes, round by round."""
    if kind in FLOATS:
        return [HUGE, -HUGE, TINY, -0.0, 123456.0, -12.5]
    top = 2 ** INTEGERS[kind]
    if kind[0] == "u":
        return [top - 1, 0, top // 2, 1, 0x1234, top - 2]
    return [top // 2 - 1, -top // 2, -1, 1, 0x1234, -0x1234]


def oracle(kind, order, value):
    """The registers as pymodbus lays them out."""
    from pymodbus.constants import Endian
    from pymodbus.payload import BinaryPayloadBuilder
    builder = BinaryPayloadBuilder(byteorder=Endian.Big if order in ("ABCD", "CDAB") else Endian.Little,
                                   wordorder=Endian.Big if order in ("ABCD", "BADC") else Endian.Little)
    bits = {**INTEGERS, **FLOATS}[kind]
    name = {"i": "int", "u": "uint", "f": "float"}[kind[0]]
    getattr(builder, f"add_{bits}bit_{name}")(value)
    return builder.to_registers()


def test_all_types_in_all_orders_agree_with_pymodbus(make_daemon, instrument):
    shapes = {f"{kind}-{order}": (kind, order, 8 * i)
              for i, (kind, order) in enumerate((kind, order) for kind in [*INTEGERS, *FLOATS]
                                                for order in ("ABCD", "CDAB", "BADC", "DCBA"))}
    daemon = make_daemon(
        [modbus_connection(instrument.port, interval_ms=50)],
        [site(name, [monitor("w01018", "line", f'unit_id = 1; table = "holding"; type = "{kind}"; '
                                               f'order = "{order}"; address = {address};')])
         for name, (kind, order, address) in shapes.items()])
    for i in range(len(rounds("int16"))):
        for kind, order, address in shapes.values():
            put(instrument, address, *oracle(kind, order, rounds(kind)[i]))
        polls(instrument, 8)

        def wrong():
            found = {s["id"]: s["monitors"][0]["latest"] for s in daemon.get("/api/v1/sites")["sites"]}
            return {name: found[name] and found[name]["value"] for name, (kind, _, _) in shapes.items()
                    if not found[name] or found[name]["value"] != float(rounds(kind)[i])}
        wait_until(lambda: not wrong(), what=f"round {i}")
    for kind, order, address in shapes.values():
        if kind in FLOATS:
            put(instrument, address, *oracle(kind, order, math.nan))

    def flags():
        return {s["monitors"][0]["latest"]["flag"] for s in daemon.get("/api/v1/sites")["sites"]
                if s["id"].startswith("float")}
    wait_until(lambda: flags() == {"D"}, what="NaN becomes no value")
