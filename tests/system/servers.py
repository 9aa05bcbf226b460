# SPDX-License-Identifier: Apache-2.0
"""Real servers around the daemon: mosquitto, influxd, and pymodbus as an instrument."""
import asyncio
import contextlib
import glob
import http.client
import itertools
import json
import os
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
import tty
import urllib.parse

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
INFLUXD = shutil.which("influxd", path="/usr/bin:/usr/local/bin")


# How many times slower than alone a machine may be that runs several tests, or builds, beside.
PATIENCE = 4


def ports():
    """Ports that a server can have, and have again after a kill: below those that the kernel gives
    to clients, where a client that tries again and again could even connect to itself, and for
    each process that tests in parallel others."""
    lowest, worker = 10000, os.environ.get("PYTEST_XDIST_WORKER", "gw")[2:]
    numbers = list(range(lowest, 32000))
    if worker:
        numbers = numbers[int(worker) % 10 * 2000:][:2000]
    random.SystemRandom().shuffle(numbers)
    return itertools.cycle(numbers)


PORTS = ports()


def free_port():
    while True:
        with socket.socket() as s:
            port = next(PORTS)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def forget_dead_clocks():
    """libfaketime has a semaphore by the number of its process, and will not begin where one is left of
    a process that was killed under the same number."""
    for path in glob.glob("/dev/shm/*faketime_*_[0-9]*"):
        if not os.path.exists(f"/proc/{path.rsplit('_', 1)[1]}"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def wait_until(condition, seconds=20.0, what="the condition", every=0.02):
    """Returns the first true value of condition(); fails loudly after the deadline, which is in
    seconds of a machine with nothing else to do."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s (last: {value!r})")
        time.sleep(every)


def wait_while_it_grows(number, wanted, seconds=20.0, what="all", every=0.05):
    """Waits until number() has come to `wanted`; fails once it has not moved for so long. How fast a
    machine works through much is not what a test is about."""
    seen, since = number(), time.monotonic()
    while seen < wanted:
        time.sleep(every)
        now = number()
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > seconds * PATIENCE:
            raise AssertionError(f"{what}: {seen} of {wanted}, and no more in {seconds} s")


class Process:
    """A server process in a directory of its own, stopped at the end whatever happens."""

    def __init__(self, directory):
        self.directory = str(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.process = None

    def run(self, arguments):
        with open(os.path.join(self.directory, "output"), "ab") as output:
            self.process = subprocess.Popen(arguments, stdout=output, stderr=output,
                                            stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


class Broker(Process):
    """mosquitto; its log tells which messages a client was sent and which it acknowledged."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()
        self.log = os.path.join(self.directory, "mosquitto.log")
        self.config = os.path.join(self.directory, "mosquitto.conf")
        with open(self.config, "w") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                    f"log_dest file {self.log}\nlog_type all\n"
                    f"max_queued_messages 0\nmax_inflight_messages 20\n"
                    f"persistence false\nuser root\n")

    def start(self):
        self.run([MOSQUITTO, "-c", self.config])
        wait_until(self.answers, 20, "mosquitto listening")
        return self

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def lines(self, since=""):
        """Of its log, from the last line on that has @since in it: half an hour makes many."""
        try:
            with open(self.log, errors="replace") as f:
                text = f.read()
        except FileNotFoundError:
            return []
        return text[max(text.rfind(since), 0) if since else 0:].splitlines()

    def subscribed(self, client):
        """True while the newest connection of this client has subscribed."""
        state = False
        for line in self.lines(since="mosquitto version"):
            if re.search(rf"mosquitto version|New client connected from \S+ as {client} ", line):
                state = False
            elif f"Received SUBSCRIBE from {client}" in line:
                state = True
            elif f"Client {client} " in line and ("disconnected" in line or "closed" in line):
                state = False
        return state

    def acknowledged(self, client):
        """Topics of the QoS 1 messages that @client has acknowledged."""
        sent, topics = {}, []
        for line in self.lines():
            m = re.search(rf"Sending PUBLISH to {client} \(d\d, q1, r\d, m(\d+), '([^']*)'", line)
            if m:
                sent[m.group(1)] = m.group(2)
                continue
            m = re.search(rf"Received PUBACK from {client} \(Mid: (\d+)", line)
            if m and m.group(1) in sent:
                topics.append(sent.pop(m.group(1)))
        return topics

    def publish(self, topic, payload, qos=1):
        """One message by mosquitto_pub, an independent client."""
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", topic, "-q", str(qos), "-s"],
                       input=payload if isinstance(payload, bytes) else payload.encode(),
                       check=True, timeout=20)


class Publisher:
    """A stream of QoS 1 messages over one connection, each waiting for its PUBACK (MQTT 3.1.1)."""

    def __init__(self, port, client="stream"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        name = client.encode()
        body = b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name
        self.socket.sendall(b"\x10" + bytes([len(body)]) + body)
        assert self.read(4)[:2] == b"\x20\x02"
        self.mid = 0

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionError("the broker hung up")
            data += more
        return data

    def publish(self, topic, payload):
        self.mid = self.mid % 65535 + 1
        name, payload = topic.encode(), payload.encode()
        body = struct.pack(">H", len(name)) + name + struct.pack(">H", self.mid) + payload
        assert len(body) < 128
        self.socket.sendall(b"\x32" + bytes([len(body)]) + body)
        assert self.read(4) == b"\x40\x02" + struct.pack(">H", self.mid)

    def close(self):
        self.socket.close()


class Influx(Process):
    """Debian's influxd with one database."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = os.path.join(self.directory, "influxdb.conf")
        d = self.directory
        with open(self.config, "w") as f:
            f.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
                    f'[meta]\n  dir = "{d}/meta"\n'
                    f'[data]\n  dir = "{d}/data"\n  wal-dir = "{d}/wal"\n  query-log-enabled = false\n'
                    f'[monitor]\n  store-enabled = false\n'
                    f'[http]\n  bind-address = "127.0.0.1:{self.port}"\n  log-enabled = false\n')

    def start(self):
        self.run([INFLUXD, "-config", self.config])
        wait_until(self.answers, 30, "influxd answering")
        self.query("CREATE DATABASE ducha")
        return self

    def request(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET" if body is None else "POST", path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self):
        try:
            return self.request("/ping")[0] == 204
        except OSError:
            return False

    def query(self, text):
        arguments = urllib.parse.urlencode({"db": "ducha", "epoch": "ms", "q": text})
        status, body = self.request("/query?" + arguments, b"")
        assert status == 200, body
        return json.loads(body)

    def points(self, text):
        """All rows of all series of a query, as lists."""
        rows = []
        for result in self.query(text)["results"]:
            assert "error" not in result, result
            for series in result.get("series", []):
                rows += series["values"]
        return rows


class Cable:
    """A serial line from `device`, which can be unplugged, to `far`: two pseudo-terminals whose
    bytes cross."""

    def __init__(self, directory):
        self.device = os.path.join(str(directory), "line")
        self.master, self.slave = self.terminal()
        self.far = os.ttyname(self.slave)
        self.plug()

    @staticmethod
    def terminal():
        master, slave = os.openpty()
        tty.setraw(slave)
        return master, slave

    def plug(self):
        self.near, slave = self.terminal()
        os.symlink(os.ttyname(slave), self.device)
        self.cut = threading.Event()
        self.thread = threading.Thread(target=self.carry, args=(slave,), daemon=True)
        self.thread.start()

    def carry(self, slave):
        """The near end stays open here, since reading fails while nobody has it open."""
        other = {self.near: self.master, self.master: self.near}
        while not self.cut.is_set():
            for end in select.select(list(other), [], [], 0.02)[0]:
                os.write(other[end], os.read(end, 4096))
        os.close(slave)
        os.close(self.near)

    def unplug(self):
        os.unlink(self.device)
        self.cut.set()
        self.thread.join(20)


class Instrument:
    """pymodbus as a Modbus TCP server. The test sets registers while it runs. With rtu it answers
    in RTU frames, as a transparent serial gateway does; with a device it does so on a serial line.

    Registers are holding registers of unit 1. `counter` may name an address: there stands a uint32
    that grows with each request, and `served` says when each was handed out.
    """

    def __init__(self, counter=None, rtu=False, device=None):
        self.rtu, self.device = rtu, device
        self.registers = {}
        self.refused = set()
        self.counter, self.count, self.served = counter, 0, []
        self.requests = 0
        self.lock = threading.Lock()
        self.port = free_port()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.main, daemon=True)

    def start(self):
        self.thread.start()
        assert self.ready.wait(20)
        if self.device is None:
            wait_until(lambda: self.answers(), 20, "pymodbus listening")
        return self

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def main(self):
        from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
        from pymodbus.datastore.store import BaseModbusDataBlock
        from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
        from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

        instrument = self

        class Block(BaseModbusDataBlock):
            values, address, default_value = {}, 0, 0

            def validate(self, address, count=1):
                return not any(a in instrument.refused for a in range(address, address + count))

            def getValues(self, address, count=1):
                return instrument.read(address, count)

            def setValues(self, address, values):
                raise AssertionError("the daemon writes to no instrument")

        async def serve():
            block = Block()
            context = ModbusServerContext(
                slaves={1: ModbusSlaveContext(hr=block, ir=block, zero_mode=True)}, single=False)
            if self.device is None:
                self.server = ModbusTcpServer(context, address=("127.0.0.1", self.port),
                                              framer=ModbusRtuFramer if self.rtu
                                              else ModbusSocketFramer,
                                              allow_reuse_address=True)
            else:
                self.server = ModbusSerialServer(context, framer=ModbusRtuFramer, port=self.device,
                                                 baudrate=19200, stopbits=1, timeout=1)
                await self.server.start()
            self.loop = asyncio.get_running_loop()
            self.serving = asyncio.current_task()
            self.ready.set()
            try:
                await self.server.serve_forever()
            except asyncio.CancelledError:
                pass

        asyncio.run(serve())

    def read(self, address, count):
        with self.lock:
            self.requests += 1
            if self.counter is not None and address <= self.counter < address + count:
                self.count += 1
                self.registers[self.counter] = self.count >> 16
                self.registers[self.counter + 1] = self.count & 0xffff
                self.served.append((time.monotonic(), self.count))
            return [self.registers.get(address + i, 0) for i in range(count)]

    def set_float(self, address, value):
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        with self.lock:
            self.registers[address], self.registers[address + 1] = high, low

    def stop(self):
        if not self.thread.is_alive():
            return

        async def close():
            await self.server.shutdown()
            if self.device is not None:
                self.serving.cancel()
        future = asyncio.run_coroutine_threadsafe(close(), self.loop)
        try:
            future.result(10)
        except Exception:
            pass
        self.thread.join(10)
