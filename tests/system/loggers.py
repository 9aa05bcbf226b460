# SPDX-License-Identifier: Apache-2.0
"""A data logger of HJ 212-2017, written from the standard alone: it dials in, sends, and keeps what is
not acknowledged."""
import datetime
import select
import socket
import time

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def crc(data):
    """Annex A of the standard."""
    register = 0xffff
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ (0xa001 if register & 1 else 0)
    return register


def telegram(text):
    data = text.encode()
    return b"##%04d%s%04X\r\n" % (len(data), data, crc(data))


def stamp(seconds=None, digits=14):
    """YYYYMMDDhhmmss, with 17 digits also the milliseconds, in the logger's civil time."""
    now = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, SHANGHAI)
    return now.strftime("%Y%m%d%H%M%S%f")[:digits]


def message(mn, area, cn=2011, st=32, flag=5, qn=None, pw="123456"):
    qn = stamp(digits=17) if qn is None else qn
    head = f"QN={qn};" if qn else ""
    head += f"ST={st};CN={cn};PW={pw};MN={mn};" + (f"Flag={flag};" if flag is not None else "")
    return f"{head}CP=&&{area}&&"


def fields(answer):
    """A telegram that came, as a dictionary; its form is looked at."""
    assert answer.startswith(b"##") and answer.endswith(b"\r\n"), answer
    data = answer[6:-6]
    assert int(answer[2:6]) == len(data), answer
    assert answer[-6:-2] == b"%04X" % crc(data), answer
    head, area = data.decode().split("CP=&&")
    return {**dict(part.split("=") for part in head.rstrip(";").split(";")), "CP": area[:-2]}


class Logger:
    """One connection. Answers are read as they come."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.rest = b""

    def send(self, text):
        self.socket.sendall(telegram(text))

    def raw(self, data):
        self.socket.sendall(data)

    def answers(self, seconds=0.0):
        """What has come, waiting at most so long for the first of it; None: the other side is gone."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return []
        try:
            more = self.socket.recv(65536)
        except OSError:
            return None
        if not more:
            return None
        *whole, self.rest = (self.rest + more).split(b"\r\n")
        return [fields(answer + b"\r\n") for answer in whole]

    def answer(self, seconds=20):
        """The next answer, which must come, alone."""
        came = self.answers(seconds)
        assert came and len(came) == 1, f"{came} and not one answer"
        return came[0]

    def close(self):
        self.socket.close()
