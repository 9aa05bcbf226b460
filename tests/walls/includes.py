#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The walls hold: a header that a room may not include does not compile there.

includes.py VIEWS SOURCE COMPILER...

VIEWS is the folder of views that tools/walls made from daemon/walls. For every room and every public
header, one line that includes it is preprocessed with exactly the room's include path. What must
come of it is worked out here from daemon/walls itself. Also no source climbs upwards with "../", and
the tools see no room that daemon/walls denies them.
"""
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOMS = ["base", "core", "flow", "seal", "store", "verify", "copy", "deliver", "serve", "drivers", "config"]


def table(path):
    """room -> what it sees: folders as "core/", headers as "core/reading.h"."""
    seen = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            room, _, items = line.partition(":")
            seen[room.strip()] = items.split()
    return seen


def folder_of(source, room):
    return source / room if room in ("drivers", "config") else source / "daemon" / room


def headers(source):
    for room in ROOMS:
        folder = folder_of(source, room)
        for header in sorted(folder.rglob("*.h")):
            yield f"{room}/{header.relative_to(folder)}"


def allowed(items, header):
    room = header.split("/")[0] + "/"
    return room in items or header in items


def compiles(compiler, view, header):
    line = f'#include "{header}"\n'
    command = compiler + ["-E", "-o", "/dev/null", "-I", str(view), "-x", "c", "-"]
    # In the view itself: a quoted include is looked for in the present folder, too.
    return subprocess.run(command, input=line.encode(), stderr=subprocess.DEVNULL,
                          cwd=view).returncode == 0


def check_views(views, source, compiler):
    pairs = [(room, header, allowed(items, header))
             for room, items in table(source / "daemon" / "walls").items()
             for header in headers(source)]
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda p: compiles(compiler, views / p[0], p[1]), pairs)
    faults = []
    for (room, header, good), result in zip(pairs, results):
        # A header seen alone may need others that the room does not see; then it is of no use
        # there, but no hole in the wall either.
        if result and not good:
            faults.append(f'{room} may not include "{header}", but it compiles')
        if good and not result:
            faults.append(f'{room} may include "{header}", but it does not compile')
    denied = sum(1 for p in pairs if not p[2])
    if denied == 0:
        faults.append("daemon/walls denies nothing: nothing was checked")
    print(f"{len(pairs)} pairs of room and header, {denied} denied")
    return faults


def check_sources(source):
    faults, count = [], 0
    tools = table(source / "daemon" / "walls")["tools"]
    for top in ("daemon", "drivers", "config", "tools", "tests"):
        for path in sorted((source / top).rglob("*.[ch]")):
            count += 1
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not include:
                    continue
                name = include.group(1)
                place = f"{path.relative_to(source)}:{number}"
                if ".." in name.split("/") or name.startswith("/"):
                    faults.append(f'{place}: includes upwards: "{name}"')
                room = name.split("/")[0]
                if top == "tools" and room in ROOMS and not allowed(tools, name):
                    faults.append(f'{place}: a tool includes the daemon\'s inside: "{name}"')
    if count == 0:
        faults.append("no source was found")
    print(f"{count} sources")
    return faults


def main():
    views, source, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    faults = check_views(views, source, compiler) + check_sources(source)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
