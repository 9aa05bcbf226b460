# SPDX-License-Identifier: Apache-2.0
"""What the code knows by name, and what the manual pages say of it: read here, compared in
test_manual.py."""
import functools
import glob
import json
import os
import re
import shlex
import subprocess

from conftest import BUILD, ROOT


@functools.cache
def preprocessed(source):
    """The text of a source as its compiler sees it: macros expanded, comments gone."""
    with open(os.path.join(BUILD, "compile_commands.json")) as f:
        entry, = (entry for entry in json.load(f)
                  if os.path.realpath(os.path.join(entry["directory"], entry["file"])) == source)
    words = shlex.split(entry["command"])
    output = words.index("-o")
    words = [word for i, word in enumerate(words) if word != "-c" and not output <= i < output + 2]
    return subprocess.run([*words, "-E", "-P"], cwd=entry["directory"], capture_output=True, text=True,
                          check=True).stdout


def braced(text, start):
    """What stands between the brace at `start` and its end."""
    depth, i = 0, start
    while True:
        if text[i] == '"':
            i += 1
            while text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start + 1:i]
        i += 1


def initialisers(text, declaration):
    """(name, [the text of each element]) of each array that is declared so."""
    for found in re.finditer(declaration + r" (\w+)\[\w*\] = \{", text):
        body, elements, i = braced(text, found.end() - 1), [], 0
        while (i := body.find("{", i)) >= 0:
            elements.append(braced(body, i))
            i += len(elements[-1]) + 2
        yield found[1], elements


def config_tables():
    """{(source, table): [key]}: every table of keys that the configuration is checked against."""
    tables = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "config", "*.c"))):
        with open(path) as f:
            if "struct field" not in f.read():
                continue
        for name, elements in initialisers(preprocessed(path), "const struct field"):
            tables[os.path.basename(path), name] = [
                re.match(r'\s*(?:\.name = )?"(\w+)"', element)[1] for element in elements]
    return tables


def constants(text):
    """{name: value} of the enumerations of whole numbers in a source."""
    return {name: int(value) for name, value in re.findall(r"\b([A-Z_]{4,}) = (\d+)\b", text)}


def bound(element, name, known):
    """A bound of a field, 0 where there is none."""
    said = re.search(rf"\.{name} = (-?[\w.+*() ]+)", element)
    return float(eval(said[1], {"__builtins__": {}}, known)) if said else 0.0


def decimal(value):
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}".replace("+", "")


def range_of(element, known):
    """How the manual is to say which numbers, or how long a text, an entry of a table takes; None where
    everything is good, or what every text may be."""
    low, high = bound(element, "low", known), bound(element, "high", known)
    if re.search(r"FIELD_(TEXT|TEXTS)\b", element):
        return f"at most {decimal(high)} bytes" if high not in (0, 1000) else None
    if not re.search(r"FIELD_(INT|INT64|NUMBER)\b", element) or low == high:
        return None
    excluded = ".open = 1" in element or ".open = true" in element
    if high >= 9e15:  # as schema.c says it
        return f"{'more than' if excluded else 'at least'} {decimal(low)}"
    return f"between {decimal(low)} and {decimal(high)}" if excluded else f"{decimal(low)} to {decimal(high)}"


def config_ranges():
    """{(source, table): {key: the range that its manual must name}}"""
    tables = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "config", "*.c"))):
        with open(path) as f:
            if "struct field" not in f.read():
                continue
        text = preprocessed(path)
        known = constants(text)
        for name, elements in initialisers(text, "const struct field"):
            ranges = {re.match(r'\s*(?:\.name = )?"(\w+)"', element)[1]: range_of(element, known)
                      for element in elements}
            tables[os.path.basename(path), name] = {k: r for k, r in ranges.items() if r is not None}
    return tables


def said_of(section, key):
    """What a section says of a key: the brackets behind its item's name, or, where it is named in a
    sentence, all of that item."""
    for item in re.split(r"^(?=\.It\b)", section, flags=re.M):
        head, _, body = item.partition("\n")
        own = re.search(rf"^\.It Ic .*?(?<!\w){key}\b[^(]*\(([^)]*)\)", head)
        if own:
            yield own[1]
        elif re.search(rf"^\.(?:(?:(?:It|Pq|Po) )?Ic .*\b{key}\b|Ql .*\b{key} =)", item, flags=re.M):
            yield item


def page(name):
    with open(os.path.join(ROOT, name)) as f:
        return f.read()


def sections(text):
    """{heading: text} of an mdoc page; a subsection is a section of its own."""
    parts = re.split(r"^\.S[hs] (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def items(text):
    """{key: what its item says} of the `.It Ic` lists of an mdoc section."""
    found = {}
    for item in re.split(r"^(?=\.It\b)", text, flags=re.M):
        head, _, body = item.partition("\n")
        for key in re.findall(r"\bIc (\w+)", head if head.startswith(".It Ic") else ""):
            found[key] = head + "\n" + re.split(r"^\.El", body, flags=re.M)[0]
    return found


def keys_named(text):
    """The keys that a section names in its markup: in items, in sentences, in examples."""
    lines = re.findall(r"^\.(?:(?:It|Pq|Po) )?Ic (.*)$", text.replace(r"\(dq", ""), flags=re.M)
    marked = " ".join(re.sub(r"\([^)]*\)|\bNo\b", "", line) for line in lines)
    return set(re.findall(r"\b[a-z]\w*", marked)) | \
        set(re.findall(r"^\.Ql .*?\b(\w+) =", text, flags=re.M))


def verbs():
    """The verbs of duchactl, from its table."""
    path = os.path.join(ROOT, "tools/duchactl/options.c")
    table, = (elements for name, elements in initialisers(preprocessed(path), "struct verb \\{[^}]*\\}")
              if name == "verbs")
    return [re.match(r'\s*"(\w+)"', element)[1] for element in table]


def options(source):
    """The long options of a program, from its table."""
    text = preprocessed(os.path.join(ROOT, source))
    table, = (elements for _, elements in initialisers(text, "static const struct option"))
    return [found[1] for element in table if (found := re.match(r'\s*"([a-z-]+)"', element))]


def metrics():
    """Every name that a source which registers metrics has as a text."""
    names = set()
    for room in ("daemon", "drivers"):
        for path in glob.glob(os.path.join(ROOT, room, "**", "*.c"), recursive=True):
            with open(path) as f:
                text = f.read()
            if re.search(r"\bmetrics_(counter|gauge|histogram)", text):
                names |= set(re.findall(r'"(ducha_[a-z_]+)"', text))
    return names
