# SPDX-License-Identifier: Apache-2.0
"""What tests/faults/shim.c is to do to a daemon."""
import os
import signal

import pytest

from conftest import BUILD

SHIM = os.path.join(BUILD, "tests", "faults", "shim.so")
LONG = os.environ.get("DUCHA_LONG") == "1"


def needed():
    if not os.path.exists(SHIM):
        pytest.skip("there is no fault shim in this build (sanitizers)")


def noted(store, log):
    """The environment of a daemon whose writes and syncs are noted."""
    needed()
    return {"LD_PRELOAD": SHIM, "DUCHA_FAULT_BELOW": store, "DUCHA_FAULT_LOG": log}


def shimmed(daemon, order, on_signal=False):
    """The environment for Daemon.start() or launch(), with an order such as "sync:1:EIO"."""
    needed()
    os.makedirs(daemon.store, exist_ok=True)
    return {"LD_PRELOAD": SHIM, "DUCHA_FAULT": order, "DUCHA_FAULT_BELOW": daemon.store,
            **({"DUCHA_FAULT_ON": "signal"} if on_signal else {})}


def turn_on(daemon):
    daemon.process.send_signal(signal.SIGRTMIN + 8)


class Orders:
    """Orders for a daemon at work, one after the other; the empty one: from now on nothing goes wrong."""

    def __init__(self, directory):
        needed()
        self.file, self.store = os.path.join(directory, "order"), os.path.join(directory, "store")
        os.makedirs(self.store)
        open(self.file, "w").close()
        self.environment = {"LD_PRELOAD": SHIM, "DUCHA_FAULT_FILE": self.file, "DUCHA_FAULT_BELOW": self.store}
        self.daemon = None

    def give(self, order):
        with open(self.file + ".next", "w") as f:
            f.write(order)
        os.rename(self.file + ".next", self.file)
        turn_on(self.daemon)
