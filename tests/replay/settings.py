# SPDX-License-Identifier: Apache-2.0
"""settings: the part of libconfig's grammar that recordings use, read to and written from Python."""
import os
import re

TOKEN = re.compile(r'\s+|//[^\n]*|#[^\n]*|/\*.*?\*/|(?P<text>"(?:[^"\\]|\\.)*")|'
                   r'(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)L*(?![A-Za-z0-9])|'
                   r'(?P<word>[A-Za-z][A-Za-z0-9_-]*)|(?P<mark>[{}()\[\]=:;,])', re.S)


class Parser:
    def __init__(self, text):
        self.tokens, at = [], 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError("cannot read: " + text[at:at + 40])
            if found.lastgroup:
                self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def group(self):
        out = {}
        while self.peek()[1] not in ("}", None):
            name = self.take()[1]
            self.take()
            out[name] = self.value()
            if self.peek()[1] in (";", ","):
                self.take()
        return out

    def value(self):
        kind, text = self.take()
        if kind == "text":
            return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if kind == "number":
            return float(text) if re.search(r"[.eE]", text) else int(text)
        if kind == "word":
            return text.lower() == "true"
        if text == "{":
            out = self.group()
            self.take()
            return out
        out = []
        while self.peek()[1] not in (")", "]"):
            out.append(self.value())
            if self.peek()[1] == ",":
                self.take()
        self.take()
        return out


def parse(text):
    return Parser(text).group()


def read(path):
    with open(path, encoding="utf-8") as file:
        return parse(file.read())


def write(value, indent=0):
    """Text of a configuration; the outermost dictionary is the file."""
    pad = "  " * indent
    if isinstance(value, dict):
        lines = ["%s%s = %s;" % (pad, name, write(one, indent + 1)) for name, one in value.items()]
        return "\n".join(lines) + "\n" if indent == 0 else "{\n%s\n%s}" % ("\n".join(lines), "  " * (indent - 1))
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(write(one, indent + 1) for one in value) + ")"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"%s"' % value
    if isinstance(value, float):
        return repr(value) if re.search(r"[.e]", repr(value)) else repr(value) + ".0"
    return str(value)


def data_directory():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.normpath(os.path.join(here, "..", "..", "config"))


def contradictions():
    return read(os.path.join(data_directory(), "signals", "contradictions.cfg"))["contradictions"]


def catalogue_decimals():
    factors = read(os.path.join(data_directory(), "catalogue", "factors.cfg"))["factors"]
    return {one["code"]: one["decimals"] for one in factors}


def masses():
    """Factors that are discharged as a mass."""
    factors = read(os.path.join(data_directory(), "catalogue", "factors.cfg"))["factors"]
    return {one["code"] for one in factors if one.get("load", "m³") != "m³"}


def impossible():
    """What the catalogue says that no water gives: codes of loggers, and bounds by factor."""
    factors = read(os.path.join(data_directory(), "catalogue", "factors.cfg"))["factors"]
    codes = read(os.path.join(data_directory(), "catalogue", "codes.cfg"))
    return {"codes": {one["value"] for one in codes["codes"]}, "unreal_from": codes["unreal_from"],
            "fills": codes["fills"],
            "factors": {one["code"]: one for one in factors if "dead_at" in one or "drift" in one or "most" in one}}
