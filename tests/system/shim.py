# SPDX-License-Identifier: Apache-2.0
"""What tests/faults/shim.c is to do to a daemon."""
import os
import signal

import pytest

from conftest import BUILD

SHIM = os.path.join(BUILD, "tests", "faults", "shim.so")
LONG = os.environ.get("DUCHA_LONG") == "1"


def shimmed(daemon, order, on_signal=False):
    """The environment for Daemon.start() or launch(), with an order such as "sync:1:EIO"."""
    if not os.path.exists(SHIM):
        pytest.skip("there is no fault shim in this build (sanitizers)")
    os.makedirs(daemon.store, exist_ok=True)
    return {"LD_PRELOAD": SHIM, "DUCHA_FAULT": order, "DUCHA_FAULT_BELOW": daemon.store,
            **({"DUCHA_FAULT_ON": "signal"} if on_signal else {})}


def turn_on(daemon):
    daemon.process.send_signal(signal.SIGRTMIN + 8)
