# SPDX-License-Identifier: Apache-2.0
"""A store that somebody altered while no daemon ran: the daemon says which row or file, has an alert, and goes on."""
import glob
import json
import os
import sqlite3

import pytest

from test_evidence import check_bad, with_case
from servers import wait_until


def damaged(daemon):
    return wait_until(lambda: daemon.faults("damaged"), what="the alert")


def test_a_row_that_was_altered_is_named_and_not_blessed(make_daemon, instrument):
    daemon = with_case(make_daemon, instrument)
    daemon.stop()
    with sqlite3.connect(os.path.join(daemon.store, "ledger.db")) as db:
        db.execute("UPDATE cases SET level = 'city' WHERE id = 1")
    db.close()
    daemon.start()
    damaged(daemon)
    assert "ledger.db: case 1 is not what the chain says" in daemon.said()
    daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "by": "A", "note": "n"}))
    daemon.stop()
    check_bad(daemon.store, "case 1 was changed by somebody else")
    daemon.start()
    wait_until(lambda: not daemon.faults("damaged"), what="the end of the alert")
    daemon.stop()
    check_bad(daemon.store, "case 1 was changed by somebody else")


@pytest.mark.parametrize("what, words", [
    ("daybook/*.db", "is gone, or was cut back"), ("seals/*.seals", "no daemon calls a file of seals so")])
def test_a_file_that_is_gone_is_named(make_daemon, instrument, what, words):
    daemon = with_case(make_daemon, instrument)
    daemon.stop()
    path, = glob.glob(os.path.join(daemon.store, what))
    os.rename(path, path.replace(".seals", ".1.seals") if path.endswith(".seals") else path + ".away")
    daemon.start()
    damaged(daemon)
    assert words in daemon.said() and os.path.basename(path)[:10] in daemon.said(), daemon.said()
