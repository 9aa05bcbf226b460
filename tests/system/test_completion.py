# SPDX-License-Identifier: Apache-2.0
"""The shells' completion of duchactl: bash's and zsh's own functions, asked as those shells ask them."""
import os
import re
import shutil
import subprocess

import pytest

import servers
from conftest import (DUCHACTL, ENVIRONMENT, ROOT, Daemon, modbus_connection, modbus_monitor, site)

SCRIPT = os.path.join(ROOT, "tools/duchactl/completion/duchactl.bash")
ZSH_SCRIPTS = os.path.dirname(SCRIPT)
ASK = """
source "$1"; shift
complete -p duchactl | grep -q -- '-F _duchactl' || exit 1
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_duchactl "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh chooses by what is typed from what compadd is given.
ASK_ZSH = """
fpath=("$1" $fpath); shift
autoload -Uz compinit _duchactl && compinit -u -D
[ "$_comps[duchactl]" = _duchactl ] || exit 1
compadd() { [ "$1 $2" = "-a next" ] && print -rl -- $next }
_files() { print -r files }
words=("$@"); CURRENT=$#
_duchactl
"""


def completed(*words, socket="/nowhere/s"):
    answer = subprocess.run(["bash", "--norc", "-c", ASK, "bash", SCRIPT, DUCHACTL, *words],
                            capture_output=True, text=True, check=True,
                            env={**ENVIRONMENT, "DUCHA_SOCKET": socket})
    assert answer.stderr == ""
    return answer.stdout.split()


def offered_by_zsh(*words):
    answer = subprocess.run(["zsh", "-f", "-c", ASK_ZSH, "zsh", ZSH_SCRIPTS, DUCHACTL, *words], capture_output=True,
                            text=True, check=True, env={**ENVIRONMENT, "DUCHA_SOCKET": "/nowhere/s"})
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path, [modbus_connection(servers.free_port())], [
        site("outfall-3", [modbus_monitor("w01018"), modbus_monitor("w21003", address=2)]),
        site("river-1", [modbus_monitor("w01001", address=4)])])
    daemon.start()
    yield daemon
    daemon.stop()


def test_the_verbs_are_those_of_the_help():
    shown = subprocess.run([DUCHACTL, "--help"], capture_output=True, text=True, check=True).stdout
    assert set(completed("")) == set(re.findall(r"^  ([a-z]+)\b", shown, flags=re.M))
    assert completed("shelv") == ["shelve", "shelves"]


def test_options_are_those_that_the_verb_takes():
    common = ["--socket", "--json", "--help", "--version"]
    assert sorted(completed("tail", "--")) == sorted([*common, "--lines", "--site"])
    assert completed("-n", "5", "tail", "--si") == ["--site"]
    assert "--kind" in completed("case", "open", "--") and "--kind" not in completed("case", "7", "--")
    assert completed("status", "--note") == []


def test_words_that_a_verb_knows():
    assert {"accept", "assign", "close", "withdraw"} < set(completed("case", "7", ""))
    assert completed("case", "o") == ["open"]
    assert completed("alert", "9", "") == ["ack"]
    assert completed("dossier", "7", "--language", "z") == ["zh_CN"]
    assert completed("verify", "") == []


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_offers_the_same():
    assert set(offered_by_zsh("")) == set(completed(""))
    assert offered_by_zsh("case", "7", "") == completed("case", "7", "")
    assert set(offered_by_zsh("tail", "--")) == set(completed("tail", "--"))
    assert offered_by_zsh("verify", "") == ["files"]


def test_sites_and_factors_are_those_of_the_daemon(daemon):
    assert completed("readings", "", socket=daemon.socket) == ["outfall-3", "river-1"]
    assert completed("readings", "outfall-3", "", socket=daemon.socket) == ["w01018", "w21003"]
    assert completed("cases", "--all", "--site", "r", socket=daemon.socket) == ["river-1"]
    assert completed("deliveries", "test", "", socket=daemon.socket) == ["folder"]
    assert completed("-s", daemon.socket, "readings", "r") == ["river-1"]
    assert completed("readings", "") == []
