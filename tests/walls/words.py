#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No English word is shown to a Chinese office: every text of ours for people has its Chinese.

words.py SOURCE

What is for people is marked where it stands: SAY("…") in the daemon, tr("…") and heads of tables in
duchactl, heads of a report's columns, and the sentences with which the API refuses, which duchactl
says in the operator's language by their forms (daemon/core/refused.c). A translation names the same
places as its English.
"""
import pathlib
import re
import sys

LITERAL = r'"(?:[^"\\]|\\.)*"'
LITERALS = rf"{LITERAL}(?:\s*{LITERAL})*"
SAME_IN_CHINESE = {"W", "SHA-256"}
# where the API's sentences are made, and the names under which they are collected there
REFUSING = ["serve/action.c", "serve/api.c", "serve/deeds.c", "serve/query.c", "core/order.c", "core/caserules.c",
            "core/refusal.c", "store/ledger-actions.c", "store/ledger-cases.c"]
INTO = r"(?:error|why|&why|r->error|&sentence|&d->why)"
# read by the daemon alone, or the half of a sentence whose whole has a form
NOT_SAID = {"out of memory", "not allowed", 'field "%s" %s', "holds a control character", "is not valid UTF-8"}


def text(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"').replace("\\n", "\n")


def catalogue(path):
    entries = re.findall(rf"^msgid ({LITERALS})\s+msgstr ({LITERALS})", path.read_text(), re.M)
    return {text(a): text(b) for a, b in entries if text(a)}


def balanced(source, at):
    """What stands in the parentheses that open at @at."""
    depth, begin = 0, at
    for match in re.finditer(rf"{LITERAL}|'(?:[^'\\]|\\.)'|[()]", source[at:]):
        depth += {"(": 1, ")": -1}.get(match.group(0), 0)
        if depth == 0:
            return source[begin + 1:at + match.start()]
    return ""


def marked(source, opening, folder):
    for match in re.finditer(opening, source):
        inside = balanced(source, match.end() - 1)
        inside = re.sub(rf"(?:strcmp|json_object_get|show_string|json_is)\([^()]*\)", "", inside)
        yield from (text(m) for m in re.findall(LITERALS, inside))


def said(source):
    """English texts for people, with where they stand."""
    for path in sorted((source / "daemon").rglob("*.c")):
        code = path.read_text()
        for word in marked(code, r"\b(?:SAY|gettext)\(", path):
            yield path.name, word
        for head in re.findall(rf"^\t\{{{LITERAL}, ({LITERALS}), CELL_", code, re.M):
            yield path.name, text(head)
    for name in ("casewords.c", "sources.c"):
        code = (source / "daemon/core" / name).read_text()
        for word in re.findall(rf"^\t\t\{{{LITERAL}, ({LITERAL})\}}", code, re.M):
            yield name, text(word)
        for word in re.findall(rf": ({LITERAL});|add_phrase\(t, ({LITERAL})", code):
            yield name, text(word[0] or word[1])
    for path in sorted((source / "tools/duchactl").glob("*.c")):
        code = path.read_text()
        for word in marked(code, r"\btr\(", path):
            yield path.name, word
        for word in re.findall(rf"\b(?:line|label|line_\w+)\(out, ({LITERAL})", code):
            yield path.name, text(word)
        for heads in re.findall(r"\b(?:names|heads)\[\] = \{([^}]*)\}", code):
            for word in re.findall(LITERAL, heads):
                yield path.name, text(word)
        for nothing in re.findall(rf"show_table\([^,]*, ({LITERAL})\)", code):
            yield path.name, text(nothing)


def refused(source):
    """The API's sentences, as printf writes them, and the words that a parameter is asked for."""
    for name in REFUSING:
        code = (source / "daemon" / name).read_text()
        for call in (r"\bapi_error\(", rf"\btext_(?:add|format)\((?={INTO},)", r"\bask_sentence\("):
            for sentence in marked(code, call, name):
                yield name, sentence
        for sentence in re.findall(r'\\"error\\":\\"([^%"\\][^"\\]*)\\"', code):
            yield name, sentence
    hand = (source / "daemon/store/ledger-cases.c").read_text()
    body = hand[hand.index("hand_lacks("):]
    for sentence in re.findall(LITERALS, body[:body.index("\n}\n")]):
        if " " in text(sentence):
            yield "ledger-cases.c", text(sentence)
    refusals = (source / "daemon/core/refusal.c").read_text()
    for sentence in re.findall(rf"\[REFUSE_\w+\] = ({LITERALS})", refusals):
        yield "refusal.c", text(sentence)
    params = (source / "daemon/serve/query.c").read_text()
    for what in re.findall(rf"^\t\{{{LITERAL}, PARAM_\w+, \w+,\s+({LITERALS})\}}", params, re.M):
        yield "query.c", text(what)


def forms(source):
    code = (source / "daemon/core/refused.c").read_text()
    table = code[code.index("forms[] = {"):]
    return [text(m) for m in re.findall(LITERALS, table[:table.index("\n};")])]


def has_form(sentence, known):
    """With what printf and lists put there, or a name written out."""
    filled = re.sub(r"%(?:\.\d+)?(?:ll|z)?[a-z]", "x", sentence)
    if filled.endswith((" ", ":")):
        filled = filled.rstrip() + " x"
    return any(re.fullmatch(r".+".join(map(re.escape, re.split(r"\{\w+\}", form))), filled) for form in known)


def main():
    source = pathlib.Path(sys.argv[1])
    chinese = catalogue(source / "tools/po/zh_CN.po")
    known, faults, n = forms(source), [], 0
    for where, word in said(source):
        n += 1
        if re.search("[A-Za-z]{2}", word) and word not in SAME_IN_CHINESE and not chinese.get(word):
            faults.append(f"{where}: \"{word}\" has no Chinese")
    for where, sentence in refused(source):
        n += 1
        if len(sentence.split()) < 2 or sentence in NOT_SAID:
            continue
        if not chinese.get(sentence) and not has_form(sentence, known):
            faults.append(f"{where}: the refusal \"{sentence}\" has neither Chinese nor a form in core/refused.c")
    for form in known:
        if not chinese.get(form):
            faults.append(f"refused.c: the form \"{form}\" has no Chinese")
    for english, translated in chinese.items():
        if translated and sorted(set(re.findall(r"\{[a-z_]+\}", english))) != sorted(set(re.findall(r"\{[a-z_]+\}", translated))):
            faults.append(f"zh_CN.po: \"{english}\": the translation names other places")
    print("\n".join(faults) or f"{n} texts for people, each with its Chinese")
    return 1 if faults or n < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
