# SPDX-License-Identifier: Apache-2.0
"""Code and manual pages name the same things: keys of the configuration, verbs and options, metrics."""
import glob
import os
import re
import shutil
import subprocess

import pytest

import manual
from conftest import DUCHACTL, ROOT

PAGES = sorted(path for pattern in ("daemon/*.[1-8]", "config/*.[1-8]", "tools/*/*.[1-8]")
               for path in glob.glob(os.path.join(ROOT, pattern)))

# The sections of duchad.cfg(5) that describe the keys of a table: the one thing written down here.
# What stands there as an item must be in one of the tables, and each key of a table in one of its
# sections.
DELIVERIES = ["deliveries", "file", "webhook", "smtp", "mqtt", "alertmanager", "postgresql"]
PLACES = {
    ("load.c", "node_fields"): ["node"],
    ("load.c", "storage_fields"): ["storage"],
    ("load.c", "keep_fields"): ["storage"],
    ("load.c", "http_fields"): ["http"],
    ("load.c", "influx_fields"): ["influx"],
    ("load.c", "connection_fields"): ["connections"],
    ("sites.c", "site_fields"): ["sites"],
    ("sites.c", "grid_fields"): ["sites"],
    ("sites.c", "gate_fields"): ["sites"],
    ("sites.c", "responsible_fields"): ["sites"],
    ("sites.c", "enterprise_fields"): ["sites"],
    ("clues.c", "clues_fields"): ["sites"],
    ("monitors.c", "monitor_fields"): ["Monitors"],
    ("registers.c", "plus_fields"): ["Monitors", "Models"],
    ("registers.c", "exponent_fields"): ["Monitors", "Models"],
    ("registers.c", "unit_fields"): ["Monitors", "Models"],
    ("registers.c", "status_fields"): ["Monitors", "Models"],
    ("registers.c", "time_fields"): ["Monitors", "Models"],
    ("registers.c", "unit_meaning_fields"): ["Monitors"],
    ("registers.c", "flag_meaning_fields"): ["Monitors"],
    ("models.c", "model_fields"): ["Models"],
    ("models.c", "bus_fields"): ["Models"],
    ("models.c", "quantity_fields"): ["Models", "Monitors"],
    ("models.c", "file_fields"): ["Models"],
    ("limits.c", "fields"): ["Limits"],
    ("deliveries.c", "fields"): DELIVERIES,
    ("deliveries.c", "share_fields"): ["share"],
    ("cases.c", "terms_fields"): ["deadlines"],
    ("cases.c", "deadlines_fields"): ["deadlines"],
    ("cases.c", "closing_fields"): ["closing"],
    ("cases.c", "compliant_fields"): ["closing"],
    ("cases.c", "officer_fields"): ["officers"],
    ("cases.c", "duty_fields"): ["duty"],
    ("severity.c", "fields"): ["severity"],
    ("practice.c", "practice_fields"): ["DATA FILES"],
    ("practice.c", "rule_fields"): ["DATA FILES", "PRACTICE"],
    ("cases.c", "year_fields"): ["DATA FILES"],
    ("cases.c", "days_fields"): ["DATA FILES"],
    ("catalogue.c", "factor_fields"): ["DATA FILES"],
    ("catalogue.c", "file_fields"): ["DATA FILES"],
    ("clues.c", "contradiction_fields"): ["DATA FILES"],
    ("impossible.c", "code_fields"): ["DATA FILES"],
    ("impossible.c", "fill_fields"): ["DATA FILES"],
    ("clues.c", "file_fields"): ["DATA FILES"],
    ("standards.c", "table_fields"): ["DATA FILES"],
    ("standards.c", "row_fields"): ["DATA FILES"],
    ("standards.c", "absence_fields"): ["DATA FILES"],
    ("standards.c", "standard_fields"): ["DATA FILES"],
    ("standards.c", "file_fields"): ["DATA FILES"],
}
# What the manual lists where the check takes a range first.
LISTED = {"baud", "data_bits"}
ROOT_TABLE = ("load.c", "root_fields")


@pytest.fixture(scope="module")
def tables():
    return manual.config_tables()


@pytest.fixture(scope="module")
def sections():
    return manual.sections(manual.page("config/duchad.cfg.5"))


def test_every_table_of_keys_has_its_place(tables):
    assert set(tables) == {*PLACES, ROOT_TABLE}
    assert sum(map(len, tables.values())) > 400


def test_every_key_of_the_configuration_is_in_the_manual(tables, sections):
    lacking = [f"{'/'.join(table)}: {key}" for table, headings in PLACES.items() for key in tables[table]
               if not any(key in manual.keys_named(sections[heading]) for heading in headings)]
    lacking += [key for key in tables[ROOT_TABLE] if key not in sections]
    assert not lacking


def test_the_range_of_every_key_is_in_the_manual(sections):
    """As the check of the configuration says it where a value is out of it."""
    ranges = manual.config_ranges()
    lacking = []
    for table, headings in PLACES.items():
        for key, wanted in ranges[table].items():
            said = [text for heading in headings for text in manual.said_of(sections[heading], key)]
            if headings[0] != "DATA FILES" and key not in LISTED and not any(wanted in text for text in said):
                lacking.append(f"{'/'.join(table)}: {key}: {wanted}")
    assert not lacking, "\n".join(lacking)
    assert sum(map(len, ranges.values())) > 150


def test_every_key_in_the_manual_is_one_of_the_configuration(tables, sections):
    known = {heading: set() for headings in PLACES.values() for heading in headings}
    for table, headings in PLACES.items():
        for heading in headings:
            known[heading] |= set(tables[table])
    unknown = [f"{heading}: {key}" for heading in known
               for key in manual.items(sections[heading]) if key not in known[heading]]
    unknown += [heading for heading in sections if heading.islower() and heading not in DELIVERIES
                and heading not in tables[ROOT_TABLE]]
    assert not unknown


def test_every_verb_and_option_is_in_the_manual_and_the_other_way_round():
    text = manual.page("tools/duchactl/duchactl.1").replace("\\-", "-")
    verbs = set(manual.verbs())
    said = {head[1] for head in re.findall(r'^\.TP\n\.(B|BI|BR) "?([a-z]+)\b.*$',
                                           text.split(".SH OPTIONS")[0], flags=re.M)}
    assert verbs == said and len(verbs) > 15
    options = set(manual.options("tools/duchactl/options.c"))
    assert options == set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)) and len(options) > 30
    shown = subprocess.run([DUCHACTL, "--help"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  ([a-z]+)\b", shown, flags=re.M)) == verbs


def test_every_metric_is_in_the_manual_and_the_other_way_round():
    text = manual.sections(manual.page("daemon/duchad.8"))["METRICS"]
    said = set(re.findall(r"^\.It Ic (ducha_\w+)", text, flags=re.M))
    assert manual.metrics() == said and len(said) > 20


def test_mandoc_finds_nothing_wrong():
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *PAGES], capture_output=True,
                          text=True).stdout
    assert said == "" and len(PAGES) > 5


@pytest.mark.parametrize("source,page", [("daemon/main.c", "daemon/duchad.8"),
                                         ("tools/sim/sim.c", "tools/sim/ducha-sim.1")])
def test_every_option_is_in_the_manual_and_the_other_way_round(source, page):
    text = manual.page(page).replace("\\-", "-").replace("Fl -", "--")
    text = text.replace("duchad --backtest", "duchad")
    assert set(manual.options(source)) == set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text))
