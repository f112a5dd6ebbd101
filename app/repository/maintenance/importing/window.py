"""A window onto a file of JSON text, and the value that begins where we are in it.

However long the file, only the window is in memory; it grows for a value that is longer.
"""

import json
import re
from collections import Counter
from json import JSONDecodeError
from typing import Any, BinaryIO, NoReturn

WINDOW = 1 << 18
"""Characters that are read at a time."""
LONGEST = 8 << 20
"""Characters of the longest object; a saved answer may be longer."""
BLANK = re.compile(r"[ \t\r\n]*")
NEARLY = 16
"""A fault this near to the window's end may be a word or an escape that was cut in two."""


class Malformed(Exception):
    """The text is no JSON; the message says what was expected."""


class TooLong(Exception):
    """The value does not end within LONGEST characters."""


class Window:
    """What is in sight of a file, which may be a pipe, and where we are."""

    def __init__(self, file: BinaryIO, window: int = WINDOW) -> None:
        """Read from `file`, which the caller closes, `window` characters at a time."""
        self.file = file
        self.window = window
        self.bytes_read = 0
        self.buffer = ""
        self.at = 0
        self.ended = False
        self.counted, self.line = 0, 1
        self.rest = b""
        self.troubles: list[str] = []
        decoder = json.JSONDecoder(
            object_pairs_hook=self.unique, parse_float=self.finite, parse_constant=self.no_number
        )
        self.scan = decoder.raw_decode

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object; a name that comes twice is trouble."""
        made = dict(pairs)
        if len(made) < len(pairs):
            times = Counter(name for name, _ in pairs)
            twice = [name for name, count in times.items() if count > 1]
            self.troubles += [f"the name {name!r} comes twice in one object" for name in twice]
        return made

    def finite(self, text: str) -> float:
        """A number with a fraction or an exponent; one beyond a double's range is trouble."""
        number = float(text)
        if number in (float("inf"), float("-inf")):
            self.troubles.append(f"{text} is beyond the range of numbers")
        return number

    def no_number(self, text: str) -> None:
        """NaN and Infinity are no JSON."""
        self.troubles.append(f"{text} is no JSON number")

    def more(self) -> bool:
        """Whether the window now shows more of the file; what is behind us is dropped."""
        if self.ended:
            return False
        self.here()
        raw = self.file.read(max(self.window, len(self.buffer) - self.at))
        self.bytes_read += len(raw)
        self.ended = not raw
        data = self.rest + raw
        # Bytes that are no UTF-8 become lone surrogates, which `flawed` notices; a character cut
        # in two waits for its other half.
        cut = len(data) if self.ended else whole_characters(data)
        self.rest = data[cut:]
        self.buffer = self.buffer[self.at :] + data[:cut].decode("utf-8", "surrogateescape")
        self.at = self.counted = 0
        return not self.ended

    def here(self) -> int:
        """The number of the line at which we are."""
        self.line += self.buffer.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def skip_blank(self) -> bool:
        """Whether something other than blanks follows, where we are then."""
        while True:
            self.at = BLANK.match(self.buffer, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.buffer):
                return True
            if not self.more():
                return False

    def value(self) -> Any:
        """The value that begins here; we are behind it then. Raises Malformed, TooLong."""
        while True:
            self.troubles = []
            try:
                value, end = self.scan(self.buffer, self.at)
                whole = end < len(self.buffer) or self.ended or isinstance(value, (dict, list))
                if whole:
                    self.flawed(self.buffer[self.at : end], value)
            except JSONDecodeError as error:
                if self.ended or not unfinished(error, len(self.buffer)):
                    raise Malformed(f"this is not JSON: {error.msg}") from None
            except RecursionError:
                raise Malformed("this is nested too deeply") from None
            except ValueError:
                raise Malformed("a number has too many digits") from None
            else:
                if whole:
                    self.at = end
                    return value
            if len(self.buffer) - self.at > LONGEST:
                raise TooLong
            self.more()

    def flawed(self, text: str, value: Any) -> None:
        """Note text that cannot be written as UTF-8."""
        if not text.isascii() and not encodes(text):
            self.troubles.append("this is not UTF-8")
        elif ("\\ud" in text or "\\uD" in text) and not encodes(repr_of(value)):
            self.troubles.append("half of a surrogate pair stands alone")

    def next_line(self) -> None:
        """We are at the beginning of the next line, or at the end."""
        while (end := self.buffer.find("\n", self.at)) < 0:
            self.at = len(self.buffer)
            if not self.more():
                return
        self.at = end + 1

    def must(self, wanted: str) -> int:
        """The line at which something follows. Raises Malformed at the end of the file."""
        if not self.skip_blank():
            self.fail(f"the file ends where {wanted} should follow")
        return self.here()

    def step(self, marks: str) -> bool:
        """Go past one of `marks` -> whether it, or what follows an opening one, closes."""
        self.must(f"one of {' '.join(marks)}")
        mark = self.buffer[self.at]
        if mark not in marks:
            self.fail(f"one of {' '.join(marks)} should follow")
        self.at += 1
        if mark in "[{":
            self.must("an item")
            closed = self.buffer[self.at] == marks[1]
            self.at += closed
            return closed
        return mark in "]}"

    def fail(self, words: str) -> NoReturn:
        """Raise Malformed for what stands here; nothing behind it can be read."""
        self.here()
        raise Malformed(f"{words}; the rest of the file cannot be read")


def unfinished(error: JSONDecodeError, length: int) -> bool:
    """Whether reading on may heal `error`, met in a window of `length` characters."""
    return error.pos > length - NEARLY or error.msg.startswith("Unterminated string")


def repr_of(value: Any) -> str:
    """`value` as JSON with all characters as they are."""
    return json.dumps(value, ensure_ascii=False)


def encodes(text: str) -> bool:
    """Whether `text` has a form in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole_characters(data: bytes) -> int:
    """The length of `data` without a last character that is cut in two."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if length > back else len(data)
        if byte < 0x80:
            break
    return len(data)
