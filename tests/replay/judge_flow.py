# SPDX-License-Identifier: Apache-2.0
"""judge_flow: what a site's flow monitor says, for judge.py."""
import bisect
import math


class Flow:
    """What a site's flow monitor measured in the whole recording, and what follows from it."""

    def __init__(self, readings, hold, gate):
        self.readings, self.hold = readings, hold
        self.shut = self.periods(gate["below"], gate.get("for_s", 0) * 1000) if gate else []

    def speaks_until(self, time):
        return time + self.hold + 1 if self.hold else math.inf

    def at(self, time):
        """The newest flow at or before @time, None where it is unknown."""
        before = bisect.bisect_right(self.readings, time, key=lambda one: one[0])
        if not before or time >= self.speaks_until(self.readings[before - 1][0]):
            return None
        return self.readings[before - 1][1]

    def periods(self, below, lasting):
        """[start, end) of each time in which nothing was discharged."""
        out, since = [], None
        for i, (time, value) in enumerate(self.readings):
            until = self.speaks_until(time)
            last = i + 1 == len(self.readings)
            next_time = math.inf if last else self.readings[i + 1][0]
            if abs(value) >= below:
                since = None
                continue
            since = time if since is None else since
            end = min(until, next_time)
            if since + lasting < end:
                start = max(since + lasting, time)
                if out and out[-1][1] == start and start > since + lasting:
                    out[-1] = (out[-1][0], end)
                elif end > start:
                    out.append((start, end))
            if until < next_time or (until == next_time and not last):
                since = None
        return out

    def is_shut(self, time):
        return any(start <= time < end for start, end in self.shut)

    def shut_within(self, start, end):
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.shut)

    def returned(self, time):
        return max((end for _, end in self.shut if end <= time), default=-math.inf)
