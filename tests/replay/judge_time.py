# SPDX-License-Identifier: Apache-2.0
"""judge_time: the clock of judge.py, and numbers as people read them."""
import datetime
import decimal
import math
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600000


def digits12(number):
    return float("%.12g" % number)


def half_even(number, places):
    step = decimal.Decimal(1).scaleb(-places)
    return float(decimal.Decimal(repr(digits12(number))).quantize(step, rounding=decimal.ROUND_HALF_EVEN))


class Zone:
    def __init__(self, name):
        self.info = zoneinfo.ZoneInfo(name)

    def parse(self, text):
        """Milliseconds since 1970, rounded down; ValueError if it is no time."""
        try:
            return math.floor(decimal.Decimal(text) * 1000)
        except decimal.InvalidOperation:
            pass
        if len(text) < 19 or text[10] not in "Tt " or text[16] != ":":
            raise ValueError("not a time: " + text)
        head, rest = text[:19].replace("t", "T").replace(" ", "T"), text[19:]
        fraction = 0
        if rest.startswith("."):
            n = 1
            while n < len(rest) and rest[n].isdigit():
                n += 1
            fraction = int((rest[1:n] + "000")[:3])
            rest = rest[n:]
        civil = datetime.datetime.strptime(head, "%Y-%m-%dT%H:%M:%S")
        if rest in ("Z", "z"):
            when = civil.replace(tzinfo=UTC)
        elif rest:
            when = datetime.datetime.fromisoformat(head + rest)
        else:
            when = civil.replace(tzinfo=self.info)
        return (when.astimezone(UTC) - EPOCH) // datetime.timedelta(seconds=1) * 1000 + fraction

    def local(self, ms):
        return (EPOCH + datetime.timedelta(milliseconds=ms)).astimezone(self.info)

    def text(self, ms):
        return None if ms is None else self.local(ms).isoformat(timespec="milliseconds")

    def window(self, average, ms):
        """(start, end) of the clock hour or day that holds @ms."""
        here = self.local(ms)
        if average == "hour":
            start = ms - ms % 1000 - (here.minute * 60 + here.second) * 1000
            return start, start + 3600000
        start = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        after = (start.replace(tzinfo=None) + datetime.timedelta(days=1)).replace(tzinfo=self.info)
        return tuple((x.astimezone(UTC) - EPOCH) // datetime.timedelta(milliseconds=1) for x in (start, after))

    def day(self, text):
        """(start, end) of a date."""
        return self.window("day", self.parse(text + " 12:00:00"))
