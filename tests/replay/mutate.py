#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
mutate: single faults planted in the evaluation, to see the recordings, random readings and unit tests bite.

    mutate.py BUILD [--jobs N] [--cases N] [--only TEXT]

BUILD is a configured build directory. Each fault is compiled alone, without optimisation, and linked
before the library it belongs to, so that neither source nor BUILD changes. Prints a table: the fault,
and a test that saw it: asked first is what saw others of the same source, then the recordings' events,
what is said to explain them, random readings, and the unit tests of core.
Exit code 1 if a fault that is not marked equivalent survives. By hand or in the long tier.
"""
import argparse
import collections
import concurrent.futures
import importlib.machinery
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, HERE)
import cases  # noqa: E402
import faults  # noqa: E402
import settings  # noqa: E402

UNITS = ("beside", "window", "marks", "supcase") + tuple(
    "evaluate-" + x for x in ("instant", "means", "await", "eight", "signal", "range", "discharge", "warning", "keep", "clue", "late"))
HANGS_S = 20


def recordings_module():
    """test-recordings, whose name has no .py."""
    path = os.path.join(HERE, "test-recordings")
    spec = importlib.util.spec_from_loader("recordings", importlib.machinery.SourceFileLoader("recordings", path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Build:
    """How the build directory compiles and links, with one object put before the rest."""

    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        units = ["tests/unit/core/test-core-" + name for name in UNITS]
        subprocess.run(["ninja", "-C", self.directory, "duchad", *units], check=True, capture_output=True)
        with open(os.path.join(self.directory, "compile_commands.json"), encoding="utf-8") as file:
            self.compiling = {os.path.normpath(os.path.join(self.directory, one["file"])): shlex.split(one["command"])
                              for one in json.load(file)}
        self.linking = {target: self.last_command(target) for target in ["duchad", *units]}
        self.units = units

    def last_command(self, target):
        done = subprocess.run(["ninja", "-C", self.directory, "-t", "commands", "-s", target],
                              check=True, capture_output=True, text=True)
        return shlex.split(done.stdout.splitlines()[-1])

    def compile(self, name, source, out):
        """The object of a changed source, with the options of the file @name of which it is a change."""
        command = self.compiling[os.path.join(SOURCE, name)]
        kept = [x for i, x in enumerate(command) if x not in ("-MD", "-MQ", "-MF", "-o", "-c", "-Werror") and
                command[i - 1] not in ("-MQ", "-MF", "-o", "-c")]
        return self.runs(kept + ["-w", "-O0", "-g0", "-U_FORTIFY_SOURCE", "-c", source, "-o", out])

    def link(self, target, objects, out):
        command = list(self.linking[target])
        at = command.index("-o")
        return self.runs(command[:at] + ["-o", out, *objects] + command[at + 2:])

    def runs(self, command):
        return subprocess.run(command, cwd=self.directory, capture_output=True).returncode == 0


class Tests:
    """What may see a fault. What saw one before is asked first."""

    def __init__(self, build, folder, n_cases):
        self.build, self.recordings = build, recordings_module()
        self.names = sorted(x for x in os.listdir(HERE) if os.path.exists(os.path.join(HERE, x, "expected")))
        self.saw = collections.Counter()
        self.random = [self.case(folder, seed) for seed in range(20260101, 20260101 + n_cases)]

    @staticmethod
    def case(folder, seed):
        """The files of a random case: configuration, readings, marks."""
        config, text = cases.make(seed, False)
        files = [os.path.join(folder, "%d.%s" % (seed, x)) for x in ("cfg", "csv", "marks")]
        for path, content in zip(files, (settings.write(config), text, cases.marks(seed, config, text))):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        return files

    def learn(self, duchad):
        """What the daemon without a fault says of the random cases; test-random holds it against judge.py."""
        self.random_said = [self.says(duchad, one) for one in self.random]

    @staticmethod
    def says(duchad, files):
        config, data, marks = files
        return subprocess.run([duchad, "--backtest", data, "--marks", marks, "-c", config],
                              capture_output=True, timeout=HANGS_S).stdout

    def recording_sees(self, duchad, name):
        config, data, expected = self.recordings.parts(name)
        with open(expected, encoding="utf-8", newline="") as file:
            wanted = file.read()
        code, printed, _ = self.recordings.backtest(duchad, config, data)
        return bool(code) or printed != wanted

    def explanation_sees(self, duchad, name):
        wanted, printed, good = self.recordings.explanations(duchad, name) or ("", "", True)
        return printed != wanted or not good

    def unit_sees(self, objects, target, program):
        if not self.build.link(target, objects, program):
            return False
        return subprocess.run([program], cwd=SOURCE, capture_output=True, timeout=HANGS_S).returncode != 0

    def questions(self, duchad, objects):
        """(name, function that says whether it sees the fault), the quick before the slow."""
        for name in self.names:
            yield name, lambda name=name: self.recording_sees(duchad, name)
        for name in self.names:
            yield name + "'s explanation", lambda name=name: self.explanation_sees(duchad, name)
        yield "random readings", lambda: any(self.says(duchad, one) != said
                                             for one, said in zip(self.random, self.random_said))
        for target in self.build.units:
            yield os.path.basename(target), lambda target=target: self.unit_sees(objects, target, duchad + "-unit")

    def first_that_sees(self, duchad, objects, source=None):
        """Name of a test that fails with this daemon, or None; what saw faults of this source before is asked first."""
        promising = sorted(self.questions(duchad, objects), key=lambda one: (-self.saw[source, one[0]], -self.saw[one[0]]))
        for name, sees in promising:
            try:
                seen = sees()
            except subprocess.TimeoutExpired:
                seen = True
            if seen:
                self.saw.update([(source, name), name])
                return name
        return None


def plant(build, tests, fault, folder):
    """A line of the table, and whether the fault is one that nothing saw."""
    name, old, new = fault
    what = "%s: %s -> %s" % (os.path.basename(name), " ".join(old.split()), " ".join(new.split()))
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        return "NOT PLACED %s (%d times)" % (what, text.count(old)), True
    with tempfile.TemporaryDirectory(dir=folder) as own:
        source, made, duchad = (os.path.join(own, x) for x in ("planted.c", "planted.o", "duchad"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        if not build.compile(name, source, made) or not build.link("duchad", [made], duchad):
            return "NOT PLACED %s (does not build)" % what, True
        seen = tests.first_that_sees(duchad, [made], name)
    if seen:
        return "seen       %s\n           by %s" % (what, seen), False
    if old in faults.EQUIVALENT:
        return "equivalent %s: %s" % (what, faults.EQUIVALENT[old]), False
    return "SURVIVED   %s" % what, True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", help="a configured build directory")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="faults side by side")
    parser.add_argument("--cases", type=int, default=150, help="random cases")
    parser.add_argument("--only", default="", help="faults whose text holds this")
    args = parser.parse_args()
    build = Build(args.build)
    chosen = [one for one in faults.FAULTS if args.only in one[1] + one[2]]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="ducha-mutate-") as folder, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tests = Tests(build, folder, args.cases)
        sound = os.path.join(build.directory, "duchad")
        tests.learn(sound)
        failing = tests.first_that_sees(sound, [])
        if failing:
            print("%s fails without any fault" % failing)
            return 1
        for line, missed in pool.map(lambda fault: plant(build, tests, fault, folder), chosen):
            print(line, flush=True)
            survived += missed
    print("%d of %d faults not seen" % (survived, len(chosen)))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
