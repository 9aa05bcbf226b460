# SPDX-License-Identifier: Apache-2.0
"""judge_strays: rows whose time cannot be, as the recording goes on where it was before, for judge.py."""

AHEAD_MS, BEHIND, IN_A_ROW = 300000, 12, 4


class Course:
    """The rows of one monitor, each (time, place in the file)."""

    def __init__(self):
        self.newest, self.suspects, self.behind = [], 0, []
        self.found = []  # (place, time of the row before, time of the row behind, is it the first in a row)

    def row(self, time, place):
        if not self.newest or time >= self.newest[-1][0]:
            self.newest.append((time, place))
            self.suspects = 0
            return
        if not self.suspects:
            far = [one for one in self.newest if one[0] - time > AHEAD_MS]
            before = self.newest[:len(self.newest) - len(far)]
            goes_on = len(far) <= IN_A_ROW and (not before or before[-1][0] <= time)
            self.suspects, self.behind = (len(far) if goes_on else 0), [time]
        elif self.newest[-self.suspects][0] - time <= AHEAD_MS:
            self.suspects = 0
        elif time >= self.behind[-1]:
            self.behind.append(time)
        if self.suspects and len(self.behind) >= BEHIND:
            strays, self.newest = self.newest[-self.suspects:], self.newest[:-self.suspects]
            came = self.newest[-1][0] if self.newest else self.behind[0]
            self.found += [(one[1], came, self.behind[0], one is strays[0]) for one in strays]
            self.newest.append((time, place))
            self.suspects = 0


def drop(rows, known):
    """The rows without strays, and the first of each that stand in a row: (row, time of the row before, time of
    the row behind)."""
    courses = {}
    for place, row in enumerate(rows):
        if row[1:3] in known:
            courses.setdefault(row[1:3], Course()).row(row[0], place)
    found = {one[0]: one for course in courses.values() for one in course.found}
    strays = [(rows[place], came, behind) for place, came, behind, first in sorted(found.values()) if first]
    return [row for place, row in enumerate(rows) if place not in found], strays
