"""Files of JSON objects, read one object at a time: lines, arrays and saved answers.

What is wrong with an object comes with it, so that reading goes on behind it.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from app.repository.maintenance.importing.lines import Lines
from app.repository.maintenance.importing.window import WINDOW, Malformed, TooLong, Window


class Found(NamedTuple):
    """One object: where it begins, its value, and what is wrong with its text."""

    line: int
    place: int | None
    """Its place in an array or answer; None for one that stands alone."""
    value: Any
    troubles: tuple[str, ...] = ()


class Documents(Window):
    """The objects of one file."""

    def __init__(self, file: BinaryIO, window: int = WINDOW) -> None:
        """See Window."""
        super().__init__(file, window)
        self.lines = Lines()

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

    def single(self) -> Iterator[Found]:
        """What stands alone here: an object, or a saved answer. Reading goes on behind it."""
        line, start = self.here(), self.at
        try:
            value = self.whole_line() or self.value()
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

    def whole_line(self) -> Any:
        """The object that takes all the rest of this line, where we are behind it then; None where
        that has to be read slowly."""
        end = self.buffer.find("\n", self.at) if self.lines.chances else -1
        value = self.lines.read(self.buffer[self.at : end]) if end >= 0 else None
        if value:
            self.at, self.troubles = end, []
        return value

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


def answers(value: Any) -> bool:
    """Whether `value` is an answer of the API: a list under `items`."""
    return isinstance(value, dict) and isinstance(value.get("items"), list) and "id" not in value
