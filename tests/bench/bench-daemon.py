#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The built duchad, timed from outside.

bench-daemon.py backtest DUCHAD [ROWS]      readings per second over generated data
bench-daemon.py start DUCHAD [MONITORS]     seconds from the start until READY=1
bench-daemon.py restart DUCHAD [ROWS] --fill FILL-DAY [--mqtt]
                                            seconds from a start with so many rows on disk to the
                                            first request that an instrument sees, or to the first
                                            byte that a broker does
"""
import os
import pathlib
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

DATA = pathlib.Path(__file__).resolve().parents[2] / "config"  # also for builds that look elsewhere
NODE = """node: { id = "bench"; office = "office"; case_prefix = "B"; timezone = "Asia/Shanghai";
  language = "en"; data_directory = "%(data)s"; };
storage: { directory = "%(directory)s/state"; };
http: { socket = "%(directory)s/socket"; };
"""


def config(directory, connections, sites):
    path = directory / "bench.cfg"
    path.write_text(NODE % {"directory": directory, "data": DATA}
                    + "connections: (\n" + ",\n".join(connections) + "\n);\n"
                    + "sites: (\n" + ",\n".join(sites) + "\n);\n")
    return path


def site(name, monitors):
    return (f'{{ id = "{name}"; name = "{name}"; kind = "outfall"; monitors: (\n  '
            + ",\n  ".join(monitors) + " ); }")


FACTORS = ["w01003", "w01014", "w01018", "w21003", "w21011", "w21001", "w01019", "w01010",
           "w01012", "w00000"]


def monitor(connection, factor, index, limits):
    return (f'{{ factor = "{factor}"; connection = "{connection}"; unit_id = {1 + index // 100};'
            f' table = "holding"; address = {index % 100 * 2}; type = "float32"; {limits} }}')


INSTANT = '{ max = 50.0; on_delay_s = 10; off_delay_s = 30; deadband = 2.0; opens = "case"; }'
LIMIT = 'limits: ( %s, { max = 40.0; average = "hour"; opens = "alert"; } );' % INSTANT


def modbus(name, port=1):
    return (f'{{ id = "{name}"; driver = "modbus"; transport = "tcp"; host = "127.0.0.1";'
            f' port = {port}; interval_ms = 1000; timeout_ms = 500; }}')


def mqtt(name, port):
    return (f'{{ id = "{name}"; driver = "mqtt"; uri = "mqtt://127.0.0.1:{port}";'
            f' client_id = "{name}"; }}')


def heard(connection, name, factor):
    return (f'{{ factor = "{factor}"; connection = "{connection}"; topic = "{name}/{factor}";'
            f' value = "/v"; time = "/t"; {LIMIT} }}')


def write_rows(path, names, rows):
    """Each second one row of each monitor, in turn; of 2000 the first 20 exceed the limit, one reading
    in a hundred: each such episode raises an alert, all of a monitor are one case."""
    random.seed(7)
    with open(path, "w") as out:
        out.write("time,site,factor,value\n")
        for i in range(rows):
            s, f = names[i % len(names)]
            high = i // len(names) % 2000 < 20
            value = random.uniform(51, 90) if high else random.uniform(5, 35)
            out.write(f"{1767294000 + i // len(names)},{s},{f},{value:.2f}\n")


def time_rows(duchad, directory, path, rows):
    """Readings per second of the processor, reading the file included, and what was said."""
    figures = []
    for _ in range(3):
        before = os.times()
        with open(directory / "out.jsonl", "w") as out:
            done = subprocess.run([duchad, "--backtest", str(directory / "data.csv"), "-c", str(path)],
                                  stdout=out, stderr=subprocess.PIPE, text=True)
        after = os.times()
        figures.append(rows / (after.children_user + after.children_system
                               - before.children_user - before.children_system))
        if done.returncode != 0:
            sys.exit(done.stderr)
    return statistics.median(figures), done.stderr.strip()


def backtest(duchad, rows):
    with tempfile.TemporaryDirectory(dir=".") as name:
        directory = pathlib.Path(name).resolve()
        names = [(f"site-{s}", f) for s in range(10) for f in FACTORS]
        write_rows(directory / "data.csv", names, rows)
        for what, limits in (("instant limits", f"limits: ( {INSTANT} );"), ("with windows", LIMIT)):
            sites = [site(f"site-{s}", [monitor("line", f, s * 10 + i, limits)
                                        for i, f in enumerate(FACTORS)]) for s in range(10)]
            path = config(directory, [modbus("line")], sites)
            rate, said = time_rows(duchad, directory, path, rows)
            print(f"backtest, {what}: {rate / 1e6:.2f} million readings/s of one core, median of 3"
                  f" (processor time, start and configuration included); {len(names)} monitors,"
                  f" one reading in 100 exceeds; {said}")
    return 0


def start(duchad, monitors):
    with tempfile.TemporaryDirectory(dir=".") as name:
        directory = pathlib.Path(name).resolve()
        per_site = len(FACTORS)
        sites = [site(f"site-{s}", [monitor(f"line-{s % 100}", f, s // 100 * per_site + i, LIMIT)
                                    for i, f in enumerate(FACTORS)])
                 for s in range(monitors // per_site)]
        path = config(directory, [modbus(f"line-{i}", 20000 + i) for i in range(100)], sites)
        figures = []
        for _ in range(3):
            # A short path: a socket's name holds no more than 107 bytes.
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind(f"\0ducha-bench-{os.getpid()}-{len(figures)}")
            notify.settimeout(60)
            environment = dict(os.environ, NOTIFY_SOCKET="@" + notify.getsockname()[1:].decode())
            began = time.monotonic()
            with open(directory / "log", "w") as log:
                daemon = subprocess.Popen([duchad, "-c", str(path)], env=environment,
                                          stdout=log, stderr=log)
            try:
                while b"READY=1" not in notify.recv(4096):
                    pass
                figures.append(time.monotonic() - began)
            except TimeoutError:
                print((directory / "log").read_text(), file=sys.stderr)
                return 1
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(30)
                notify.close()
        print(f"start: {statistics.median(figures):.3f} s until ready with {monitors} monitors"
              f" (first {figures[0]:.3f} s), median of 3")
    return 0


def processor_of(pid):
    """Seconds of the processor that a process has had."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_request(duchad, path, listener, kill_after=0.0):
    """Seconds from the start until an instrument is asked for the first time, and of the processor."""
    while select.select([listener], [], [], 0)[0]:
        listener.accept()[0].close()  # of the life before
    began = time.monotonic()
    with open(path.parent / "log", "a") as log:
        daemon = subprocess.Popen([duchad, "-c", str(path)], stdout=log, stderr=log)
    try:
        asked, _ = listener.accept()
        asked.settimeout(120)
        if not asked.recv(1):
            sys.exit((path.parent / "log").read_text())
        took = (time.monotonic() - began, processor_of(daemon.pid))
        time.sleep(kill_after)  # the judge keeps its state at once, then each minute
        asked.close()
    except TimeoutError:
        sys.exit((path.parent / "log").read_text())
    finally:
        daemon.kill()
        daemon.wait()
    return took


def polled_sites(port):
    sites = [site(f"site-{s}", [monitor(f"line-{s % 10}", f, s // 10 * len(FACTORS) + i, LIMIT)
                                for i, f in enumerate(FACTORS)]) for s in range(100)]
    return [modbus(f"line-{i}", port) for i in range(10)], sites


def heard_sites(port):
    sites = [site(f"site-{s}", [heard("broker", f"site-{s}", f) for f in FACTORS])
             for s in range(100)]
    return [mqtt("broker", port)], sites


def restart(duchad, rows, fill, plan):
    """A first start knows no kept state; behind it a minute of readings is judged again."""
    with tempfile.TemporaryDirectory(dir=".") as name, socket.socket() as listener:
        directory = pathlib.Path(name).resolve()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1000)
        listener.settimeout(120)
        port = listener.getsockname()[1]
        path = config(directory, *plan(port))
        (directory / "state").mkdir()
        subprocess.run([fill, str(directory / "state"), str(rows)], check=True)
        size = sum(f.stat().st_size for f in (directory / "state/daybook").iterdir())
        figures = [first_request(duchad, path, listener, 3)]
        for _ in range(3):
            subprocess.run([fill, str(directory / "state"), "60000"], check=True)
            figures.append(first_request(duchad, path, listener, 3))
        first, (median, processor) = figures[0], sorted(figures[1:])[1]
        print(f"restart: first request {median:.2f} s after a start ({processor:.2f} s of the"
              f" processor) with {rows / 1e6:.1f} million readings ({size / 1e9:.2f} GB) on disk and"
              f" 60000 behind the kept state, median of 3 (worst {max(figures[1:])[0]:.2f} s);"
              f" without a kept state {first[0]:.2f} s ({first[1]:.2f} s)")
    return 0


def main():
    what, duchad = sys.argv[1:3]
    fill = sys.argv[sys.argv.index("--fill") + 1] if "--fill" in sys.argv else None
    n = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3].isdigit() else None
    if what == "backtest":
        return backtest(duchad, n or 2000000)
    if what == "restart":
        return restart(duchad, n or (86400000 if os.environ.get("DUCHA_LONG") else 5000000), fill,
                       heard_sites if "--mqtt" in sys.argv else polled_sites)
    return start(duchad, n or 5000)


if __name__ == "__main__":
    sys.exit(main())
