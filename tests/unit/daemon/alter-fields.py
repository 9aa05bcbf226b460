#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""alter-fields.py FOLDER: change each member of an archive's case.json in turn, and take each away.

What check.py says is held against the chain must be found; it prints the changes that were not.
"""
import contextlib
import copy
import importlib.util
import io
import json
import os
import sys

sys.dont_write_bytecode = True


def members(value, path=()):
    """The path of each member that holds no other ones."""
    if not isinstance(value, (dict, list)):
        yield path
    for key, member in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from members(member, path + (key,))


def parent_of(case, path):
    for key in path[:-1]:
        case = case[key]
    return case


def others(name, value):
    """Values that it does not have."""
    if name == "number":
        return [value.replace("1号", "2号")]
    if value is None:
        return ["2026-01-02T03:04:05+08:00" if name.endswith("_at") else "x", 7]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, -value - 1]
    if name.endswith("_at") or name in ("at", "due"):
        return [value.replace("T0", "T1", 1)]
    return [value + "x", "x"]


def is_found(check, case, rows, node):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check.case_check(case, rows, node)
    except (SystemExit, KeyError, TypeError, ValueError):
        return True
    return False


def alterations(case):
    for path in members(case):
        value = parent_of(case, path)[path[-1]]
        for other in others(path[-1], value):
            changed = copy.deepcopy(case)
            parent_of(changed, path)[path[-1]] = other
            yield path, repr(other), changed
        if value:  # nothing, no and 0 are left out alike
            changed = copy.deepcopy(case)
            del parent_of(changed, path)[path[-1]]
            yield path, "taken away", changed


def main():
    os.chdir(sys.argv[1])
    spec = importlib.util.spec_from_file_location("check", "check.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    seals, alone = check.seals_check()
    rows, node = check.rows_read(seals, alone["seal-case.txt"]), alone["seal-case.txt"].node
    with open("case.json", encoding="utf-8") as f:
        case = json.load(f)
    *_, moves = check.case_check(case, rows, node)
    free = check.beside(case, moves)
    print("not held:", free)
    n = missed = 0
    for path, other, changed in alterations(case):
        name = ".".join(key for key in path if isinstance(key, str))
        if name in free.replace(" (while an episode goes on)", "").split(", "):
            continue
        n += 1
        if not is_found(check, changed, rows, node):
            missed += 1
            print(f"{'.'.join(map(str, path))}: {other}: not found")
    print(f"{n} changes, {missed} not found")
    sys.exit(missed > 0 or n < 50)


main()
