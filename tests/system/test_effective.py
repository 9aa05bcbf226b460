# SPDX-License-Identifier: Apache-2.0
"""The rules in force, from the checked configuration and from the running daemon: the same."""
import json
import subprocess

from conftest import (DUCHACTL, DUCHAD, ENVIRONMENT, Daemon, mqtt_connection, mqtt_monitor, site)

LIMITS = ('{ standard = "GB18918-2002"; class = "1A"; condition = "water > 12 C"; }, '
          '{ max = 8.0; average = "hour"; on_count = 3; }')


def office(directory):
    """A site that says little, and one that wants none of the practice. Its broker is not there."""
    sites = [site("outfall-1", [mqtt_monitor("w21003", "o/nh", LIMITS, "max_step = 5.0;"),
                                mqtt_monitor("w21001", "o/tn")],
                  'practice = "office"; clues: { repeating_count = 6; }; flat_after_s = 60;'),
             site("plain", [mqtt_monitor("w21003", "p/nh", "{ max = 8.0; }")], 'practice = "none";')]
    return Daemon(directory, [mqtt_connection(1)], sites, node='practice = "office";')


def checked(daemon, *more):
    return subprocess.run([DUCHAD, "--check", *more, "-c", daemon.config], text=True, env=ENVIRONMENT,
                          capture_output=True, timeout=60)


def rows(daemon):
    """(site, factor, limit, rule) -> (figure, origin), of each line that --effective prints."""
    run = checked(daemon, "--effective")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[-1] == "2 sites, 3 monitors, 3 limits, 1 connections: ok"
    heads = ("FACTOR", "LIMIT", "RULE", "VALUE", "ORIGIN")
    assert lines[0].split() == ["SITE", *heads]
    edges = [0, *(lines[0].index(head) for head in heads)]
    found = {}
    for line in lines[1:-1]:
        cells = [line[a:b].strip() for a, b in zip(edges, [*edges[1:], None])]
        assert tuple(cells[:4]) not in found or cells[3] == "contradiction"
        found[tuple(cells[:4])] = tuple(cells[4:])
    return found


def test_sites_without_a_practice_are_noted_unless_they_say_so(tmp_path):
    monitors = [mqtt_monitor("w21003", "o/nh", "{ max = 8.0; }")]
    quiet, said = site("quiet", monitors), site("said", monitors, 'practice = "none";')
    noted = checked(Daemon(tmp_path, [mqtt_connection(1)], [quiet, said]), "--effective")
    assert "1 of 2 sites follow no practice" in noted.stderr, noted.stderr
    assert "note" not in checked(Daemon(tmp_path, [mqtt_connection(1)], [quiet, said])).stderr
    assert "follow no practice" not in checked(office(tmp_path), "--effective").stderr


def line_of(path, text):
    with open(path, encoding="utf-8") as lines:
        return next(n for n, line in enumerate(lines, 1) if text in line)


def test_each_rule_in_force_says_where_it_comes_from(tmp_path):
    daemon = office(tmp_path)
    found = rows(daemon)
    own = line_of(daemon.config, '"outfall-1"')
    here, practice = f"{daemon.config}:{own}", "config/signals/kinds.cfg:"
    of = lambda *rule: found[("outfall-1", *rule)]
    assert of("-", "-", "practice") == ("office", here)
    assert of("w21003", "-", "max_step") == ("5", here)
    assert of("w21003", "-", "flat_after_s") == ("60", here)
    assert of("w21003", "-", "stale_after_s")[0] == "9000"
    assert practice in of("w21003", "-", "stale_after_s")[1]
    assert of("w21003", "-", "stale_after_s")[1].endswith(" (practice)")
    assert ("outfall-1", "w21003", "-", "step_times") not in found
    assert of("w21001", "-", "step_times")[0] == "3"
    assert of("w21003", "day:max=5", "max") == ("5", here + " (GB18918-2002 1A, table 1, water > 12 C)")
    assert of("w21003", "day:max=5", "opens")[0] == "case"
    assert of("w21003", "hour:max=8", "on_count") == ("3", here)
    assert of("w21003", "hour:max=8", "off_count")[0] == "2"
    assert of("w21003", "hour:max=8", "grace_s") == ("60", "built-in")
    assert of("w21003", "-", "repeating_count") == ("6", here)
    figure, origin = of("w21003", "-", "contradiction")
    assert figure == "ammonia_over_total_nitrogen: above 1.1 times the value of w21001"
    assert "config/signals/contradictions.cfg:" in origin
    plain = lambda *rule: found[("plain", "w21003", *rule)]
    assert plain("-", "stale_after_s") == ("7200", "built-in")
    assert plain("-", "flat_after_s") == plain("-", "max_step") == ("off", "built-in")
    assert plain("instant:max=8", "deadband") == ("0", "built-in")


def test_a_running_daemon_says_the_same(tmp_path):
    daemon = office(tmp_path)
    expected = rows(daemon)
    daemon.start()
    try:
        run = [DUCHACTL, "-s", daemon.socket, "sites", "outfall-1", "--effective"]
        answer = json.loads(subprocess.run([*run, "--json"], env=ENVIRONMENT, check=True, timeout=30,
                                           capture_output=True).stdout)
        shown = subprocess.run(run, env=ENVIRONMENT, text=True, check=True, timeout=30,
                               capture_output=True).stdout.splitlines()
    finally:
        daemon.stop()
    assert (answer["site"], answer["kind"]) == ("outfall-1", "outfall")
    said = {("outfall-1", rule["factor"] or "-", rule["limit"] or "-", rule["rule"]):
            (rule["value"] if isinstance(rule["value"], str) else f"{rule['value']:.12g}",
             rule["place"]) for rule in answer["rules"]}
    assert said == {rule: origin for rule, origin in expected.items() if rule[0] == "outfall-1"}
    assert len(shown) == len(answer["rules"]) + 1
    assert shown[0].split() == ["FACTOR", "LIMIT", "RULE", "VALUE", "ORIGIN"]


def test_effective_stands_beside_check_alone(tmp_path):
    daemon = office(tmp_path)
    assert checked(daemon).stdout == "2 sites, 3 monitors, 3 limits, 1 connections: ok\n"
    run = subprocess.run([DUCHAD, "--effective", "-c", daemon.config], capture_output=True, timeout=60)
    assert run.returncode == 64
