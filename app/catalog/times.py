"""Points in time as callers write them, to the nanosecond.

Six formats are read (the contract's section 2); one is written: RFC 3339 in UTC with nine digits of
fraction, so that times sort as text.
"""

import re
from datetime import date

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
EPOCH = date(1970, 1, 1).toordinal()
FIRST = (date(1678, 1, 1).toordinal() - EPOCH) * DAY
LAST = (date(2262, 1, 1).toordinal() - EPOCH) * DAY - 1
"""The years 1678 to 2261: what 64 bits of nanoseconds can hold."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH = "|".join(MONTHS)
CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
SHORT_DAY = "(?P<weekday>" + "|".join(day[:3] for day in DAYS) + ")"
LONG_DAY = "(?P<weekday>" + "|".join(DAYS) + ")"

RFC_3339 = (
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    rf"(?:[Tt]{CLOCK}(?:\.(?P<fraction>[0-9]{{1,9}}))?"
    r"(?:[Zz]|(?P<sign>[+ -])(?P<off_hour>[0-9]{2}):(?P<off_minute>[0-9]{2})))?"
)
RFC_1123 = rf"{SHORT_DAY}, (?P<day>[0-9]{{2}}) (?P<month>{MONTH}) (?P<year>[0-9]{{4}}) {CLOCK} GMT"
RFC_850 = rf"{LONG_DAY}, (?P<day>[0-9]{{2}})-(?P<month>{MONTH})-(?P<year>[0-9]{{2}}) {CLOCK} GMT"
ANSI_C = rf"{SHORT_DAY} (?P<month>{MONTH}) (?P<day>[ 0-9][0-9]) {CLOCK} (?P<year>[0-9]{{4}})"
CALENDAR = tuple(re.compile(text) for text in (RFC_3339, RFC_1123, RFC_850, ANSI_C))
UNIX = re.compile(r"(?P<seconds>[0-9]{1,10})|(?P<nanoseconds>[0-9]{1,19})ns")

ACCEPTED = (
    "a time such as 2020-04-22T11:00:00Z, 2020-04-22, 'Wed, 22 Apr 2020 11:00:00 GMT', "
    "'Wednesday, 22-Apr-20 11:00:00 GMT', 'Wed Apr 22 11:00:00 2020', 1587553200 or "
    "1587553200000000000ns, in the years 1678 to 2261"
)


def full_year(text: str) -> int:
    """The year that two digits mean (POSIX: 69 to 99 are the 1900s), or the four digits given."""
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year >= 69 else 2000)


def midnight(found: dict[str, str | None]) -> int:
    """Nanoseconds of the day's beginning. Raises ValueError for a day that does not exist."""
    month = found["month"] or ""
    number = MONTHS.index(month) + 1 if month in MONTHS else int(month)
    day = date(full_year(found["year"] or ""), number, int(found["day"] or ""))
    weekday = found.get("weekday")
    if weekday and not DAYS[day.weekday()].startswith(weekday):
        raise ValueError("that day was no " + weekday)
    return (day.toordinal() - EPOCH) * DAY


def within(text: str | None, limit: int) -> int:
    """Two digits that must stay below `limit`; absent = 0. Raises ValueError."""
    number = int(text or 0)
    if number >= limit:
        raise ValueError(f"{number} is beyond {limit - 1}")
    return number


def time_of_day(found: dict[str, str | None]) -> int:
    """Nanoseconds since midnight, UTC, of a matched clock. Raises ValueError."""
    hour = within(found.get("hour"), 24)
    minute = within(found.get("minute"), 60)
    second = within(found.get("second"), 60)
    fraction = int((found.get("fraction") or "").ljust(9, "0"))
    offset = within(found.get("off_hour"), 24) * 60 + within(found.get("off_minute"), 60)
    # A '+' in a query that was not percent-encoded arrives as a blank.
    minutes = hour * 60 + minute - (-offset if found.get("sign") == "-" else offset)
    return (minutes * 60 + second) * SECOND + fraction


def instant(text: str) -> int:
    """Epoch nanoseconds of `text` in any of the six formats.

    Raises ValueError for anything else, and for times out of 1678 to 2261.
    """
    if unix := UNIX.fullmatch(text):
        seconds, nanoseconds = unix.groups()
        moment = int(seconds) * SECOND if seconds else int(nanoseconds)
    else:
        match = next(filter(None, (format.fullmatch(text) for format in CALENDAR)), None)
        if match is None:
            raise ValueError("not a time")
        found = match.groupdict()
        moment = midnight(found) + time_of_day(found)
    if not FIRST <= moment <= LAST:
        raise ValueError("out of range")
    return moment


class Days(dict[int, str]):
    """`2026-11-23T` for a number of days since 1970; there are not many."""

    def __missing__(self, day: int) -> str:
        """Write the day down for the next time."""
        text = date.fromordinal(EPOCH + day).strftime("%Y-%m-%dT")
        self[day] = text
        return text


DAY_TEXTS = Days()
SIXTY = tuple(f"{number:02}" for number in range(60))
CLOCK_TEXTS = tuple(f"{h}:{m}:{s}" for h in SIXTY[:24] for m in SIXTY for s in SIXTY)
"""`12:34:56` for every second of a day: a page of 100 tasks writes 500 times."""


def written(moment: int) -> str:
    """`moment`, epoch nanoseconds, as RFC 3339 in UTC with nine digits of fraction."""
    seconds = moment // SECOND
    # zfill takes half the time of a format with leading zeros: this is most of what a page costs.
    fraction = str(moment % SECOND).zfill(9)
    return f"{DAY_TEXTS[seconds // 86_400]}{CLOCK_TEXTS[seconds % 86_400]}.{fraction}Z"
