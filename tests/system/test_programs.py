# SPDX-License-Identifier: Apache-2.0
"""What scripts see: exit codes, --check, --version, usage."""
import re
import subprocess

import pytest

from conftest import (DUCHACTL, DUCHAD, ENVIRONMENT, Daemon, modbus_connection, modbus_monitor,
                      mqtt_connection, mqtt_monitor, site)


def duchad(*arguments):
    return subprocess.run([DUCHAD, *arguments], capture_output=True, text=True, timeout=30,
                          env=ENVIRONMENT)


def duchactl(*arguments):
    return subprocess.run([DUCHACTL, *arguments], capture_output=True, text=True, timeout=30,
                          env=ENVIRONMENT)


@pytest.fixture
def config(tmp_path):
    """A good configuration; the test spoils it."""
    daemon = Daemon(tmp_path, [modbus_connection(1502), mqtt_connection(1883)], [
        site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }, { min = 1; }"),
                           mqtt_monitor("w21003", "a/b")]),
        site("outfall-4", [modbus_monitor("w01018", address=10)])])
    return daemon.config


def spoil(config, old, new):
    with open(config) as f:
        text = f.read()
    assert old in text
    with open(config, "w") as f:
        f.write(text.replace(old, new, 1))
    return text[:text.index(old)].count("\n") + 1


def test_a_good_file_gets_exactly_one_line(config):
    answer = duchad("--check", "-c", config)
    assert (answer.returncode, answer.stdout, answer.stderr) == \
        (0, "2 sites, 3 monitors, 2 limits, 2 connections: ok\n", "")


def test_a_bus_that_cannot_hold_its_interval_is_named(tmp_path):
    bus = ('{{ id = "{}"; driver = "modbus"; transport = "rtu-over-tcp"; host = "127.0.0.1"; '
           'interval_ms = {}; timeout_ms = 500; request_gap_ms = 20; }}')
    units = [[f'{{ factor = "w01018"; connection = "{id}"; unit_id = {unit}; table = "holding"; '
              f'address = 0; type = "int16"; }}'] for id in ("slow", "quick", "crammed")
             for unit in range(1, 5)]
    daemon = Daemon(tmp_path, [bus.format("slow", 3999), bus.format("quick", 4000),
                               bus.format("crammed", 79)],
                    [site(f"outfall-{i}", monitors) for i, monitors in enumerate(units)])
    answer = duchad("--check", "-c", daemon.config)
    assert (answer.returncode, answer.stdout) == \
        (0, "12 sites, 12 monitors, 0 limits, 3 connections: ok\n")
    assert answer.stderr.splitlines() == [
        f'{daemon.config}: warning: connection "slow" cannot hold interval_ms = 3999 when nothing '
        'answers: its 4 requests to 4 units take 4000 ms then; raise interval_ms or lower '
        'timeout_ms = 500',
        f'{daemon.config}: warning: connection "crammed" cannot hold interval_ms = 79: its 4 '
        'requests take 80 ms at least']


def test_a_serial_line_that_is_too_slow_is_named(tmp_path):
    line = ('{{ id = "{}"; driver = "modbus"; transport = "rtu"; device = "/dev/ttyS{}"; '
            'baud = 1200; interval_ms = {}; timeout_ms = {}; max_gap = 0; }}')
    monitors = [f'{{ factor = "w01018"; connection = "crammed"; unit_id = 1; table = "holding"; '
                f'address = {address}; type = "int16"; }}' for address in (0, 50)]
    far = [f'{{ factor = "{factor}"; connection = "far"; unit_id = 1; table = "holding"; '
           f'address = {address}; type = "float64"; }}'
           for factor, address in (("w01018", 0), ("w21003", 4))]
    daemon = Daemon(tmp_path, [line.format("crammed", 1, 300, 140), line.format("far", 2, 5000, 200)],
                    [site("outfall-0", [monitors[0]]), site("outfall-1", [monitors[1]]),
                     site("outfall-2", far)])
    answer = duchad("--check", "-c", daemon.config)
    assert (answer.returncode, answer.stdout) == \
        (0, "3 sites, 4 monitors, 0 limits, 2 connections: ok\n")
    assert answer.stderr.splitlines() == [
        f'{daemon.config}: warning: connection "crammed" cannot hold interval_ms = 300: its 2 '
        'requests take 308 ms at least',
        f'{daemon.config}: warning: connection "far" has timeout_ms = 200, and the bytes of its '
        'longest request and reply take 241 ms on the line; raise timeout_ms or lower max_registers',
    ]



@pytest.mark.parametrize("old,new", [
    ('office = ', 'ofice = '),
    ('port = 1502', 'port = "x"'),
    ('port = 1502', 'port = 70000'),
    ('connection = "line"', 'connection = "nobody"'),
    ('id = "outfall-4"', 'id = "outfall-3"'),
    ('driver = "modbus"', 'driver = "hj213"'),
    ('max = 50.0', 'max = 50.0 50'),
])
def test_an_error_is_named_with_file_and_line(config, old, new):
    line = spoil(config, old, new)
    answer = duchad("--check", "-c", config)
    assert answer.returncode == 78
    assert answer.stdout == ""
    assert re.match(rf"{re.escape(config)}:{line}: .+", answer.stderr), answer.stderr


def test_a_gap_in_time_is_an_error_of_the_check(config):
    line = spoil(config, 'max = 50.0', 'max = 50.0; average = "day"; to = "2001-12-31"')
    answer = duchad("--check", "-c", config)
    assert answer.returncode == 78 and answer.stdout == ""
    assert re.match(rf"{re.escape(config)}:{line}: configuration ended on 2001-12-31, and no limit "
                    r"of the day's mean is in force on \d{4}-\d\d-\d\d: a gap in time; ",
                    answer.stderr), answer.stderr


def test_what_is_worth_knowing_is_a_warning(config):
    line = spoil(config, 'max = 50.0',
                 'standard = "DB5301/T 43-2020"; class = "E"; cited_by = "00000000"')
    answer = duchad("--check", "-c", config)
    assert (answer.returncode, answer.stdout) == \
        (0, "2 sites, 3 monitors, 2 limits, 2 connections: ok\n")
    assert answer.stderr.startswith(f"{config}:{line}: warning: the figure of DB5301/T43-2020, "
                                    "table 1 for w01018 is of low confidence"), answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_daemon_itself_refuses_a_bad_file(config):
    line = spoil(config, 'port = 1502', 'port = 70000')
    answer = duchad("-c", config)
    assert answer.returncode == 78
    assert f"{config}:{line}: " in answer.stderr


def test_a_missing_file_is_line_one():
    answer = duchad("--check", "-c", "/nowhere/ducha.cfg")
    assert answer.returncode == 78
    assert answer.stderr.startswith("/nowhere/ducha.cfg:1: ")


def test_the_version_names_the_libraries():
    answer = duchad("--version")
    assert answer.returncode == 0
    assert re.search(r"duchad \d+\.\d+", answer.stdout)
    for library in ("sqlite", "curl", "microhttpd"):
        assert library in answer.stdout.lower(), answer.stdout


@pytest.mark.parametrize("arguments", [("--nonsense",), ("-c",), ("stray",)])
def test_wrong_usage_is_64(arguments):
    assert duchad(*arguments).returncode == 64


@pytest.mark.parametrize("arguments,code", [
    ((), 64), (("nonsense",), 64), (("case",), 64), (("status", "stray"), 64),
    (("status",), 69), (("cases",), 69), (("case", "1"), 69), (("case", "x"), 64)])
def test_duchactl_judges_usage_before_it_looks_for_the_daemon(tmp_path, arguments, code):
    answer = duchactl("-s", str(tmp_path / "nobody"), *arguments)
    assert answer.returncode == code, answer.stderr
    assert answer.stderr


def test_a_request_that_the_daemon_refuses_is_1(make_daemon, instrument):
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("outfall-3", [modbus_monitor("w01018")])])
    assert daemon.ctl("case", "7").returncode == 1
    assert daemon.ctl("readings", "nowhere").returncode == 1
    for verb in ("status", "sites", "alerts", "cases"):
        assert daemon.ctl(verb).returncode == 0
        assert daemon.ctl("--json", verb).stdout.startswith("{")


def test_two_daemons_do_not_share_a_store(make_daemon, instrument):
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("outfall-3", [modbus_monitor("w01018")])])
    answer = duchad("-c", daemon.config)
    assert answer.returncode not in (0, -11, -6)
    assert daemon.healthy()
