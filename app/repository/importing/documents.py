"""Files of JSON objects, read one object at a time: lines, arrays and saved answers.

However long the file, only a window of it and one object are in memory. What is wrong with an
object comes with it, so that reading goes on behind it.
"""

import json
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO, NamedTuple, NoReturn

WINDOW = 1 << 18
"""Characters that are read at a time."""
LONGEST = 8 << 20
"""Characters of the longest object; a saved answer may be longer."""
BLANK = re.compile(r"[ \t\r\n]*")
NEARLY = 16
"""A fault this near to the window's end may be a word or an escape that was cut in two."""


class Found(NamedTuple):
    """One object: where it begins, its value, and what is wrong with its text."""

    line: int
    place: int | None
    """Its place in an array or answer; None for one that stands alone."""
    value: Any
    troubles: tuple[str, ...] = ()


class Malformed(Exception):
    """The text is no JSON; the message says what was expected."""


class TooLong(Exception):
    """The value does not end within LONGEST characters."""


class Documents:
    """The objects of one file, which may be a pipe."""

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
            names = [name for name, _ in pairs]
            twice = {name for name in names if names.count(name) > 1}
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

    def __iter__(self) -> Iterator[Found]:
        """All objects in order."""
        self.more()
        if self.buffer.startswith("\ufeff"):
            self.at = 1
        while self.skip_blank():
            try:
                yield from self.array() if self.buffer[self.at] == "[" else self.single()
            except Malformed as error:
                yield Found(self.line, None, None, (str(error),))
                return

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
            except JSONDecodeError as error:
                if self.ended or not unfinished(error, len(self.buffer)):
                    raise Malformed(f"this is not JSON: {error.msg}") from None
            except RecursionError:
                raise Malformed("this is nested too deeply") from None
            except ValueError:
                raise Malformed("a number has too many digits") from None
            else:
                if end < len(self.buffer) or self.ended or isinstance(value, (dict, list)):
                    self.flawed(self.buffer[self.at : end], value)
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

    def single(self) -> Iterator[Found]:
        """What stands alone here: an object, or a saved answer. Reading goes on behind it."""
        line, start = self.here(), self.at
        try:
            value = self.value()
        except Malformed as error:
            yield Found(line, None, None, (str(error),))
            self.next_line()
            return
        except TooLong:
            yield from self.answer()
            return
        if not answers(value):
            yield Found(line, None, value, tuple(self.troubles))
        elif self.troubles:
            # Whose troubles they are shows only one item at a time.
            self.at = start
            yield from self.answer()
        else:
            for index, item in enumerate(value["items"]):
                yield Found(line, index, item)

    def next_line(self) -> None:
        """We are at the beginning of the next line, or at the end."""
        while (end := self.buffer.find("\n", self.at)) < 0:
            self.at = len(self.buffer)
            if not self.more():
                return
        self.at = end + 1

    def array(self) -> Iterator[Found]:
        """The items of the array that begins here. Raises Malformed when it cannot be read on."""
        index, closed = 0, self.step("[]")
        while not closed:
            line = self.must("an item")
            try:
                value = self.value()
            except TooLong:
                self.fail("an item is too long")
            if answers(value):
                for inner, item in enumerate(value["items"]):
                    yield Found(line, inner, item, tuple(self.troubles))
            else:
                yield Found(line, index, value, tuple(self.troubles))
            index += 1
            closed = self.step(",]")

    def answer(self) -> Iterator[Found]:
        """The items of the saved answer that begins here, however long. Raises Malformed."""
        held = False
        closed = self.step("{}")
        while not closed:
            self.must("a name")
            name = self.value()
            self.step(":")
            self.must("a value")
            if name == "items" and self.buffer[self.at] == "[":
                held = True
                yield from self.array()
            else:
                try:
                    self.value()
                except TooLong:
                    self.fail("a value is too long")
            closed = self.step(",}")
        if not held:
            self.fail("an object is too long")

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


def answers(value: Any) -> bool:
    """Whether `value` is an answer of the API: a list under `items`."""
    return isinstance(value, dict) and isinstance(value.get("items"), list) and "id" not in value


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
