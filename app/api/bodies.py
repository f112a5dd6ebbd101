"""The fields of which bodies are made: each takes one JSON type and says what it would take."""

from collections.abc import Sequence
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from app.canonical import compact
from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.times import ACCEPTED, SECOND, instant
from app.models import TEXT
from app.vocabulary import Word, meant

UNKNOWN = "unknown"
"""The message with which the schemas mark a field that they do not have."""
NEEDED = "is needed"
"""The one for a field that is not there."""
PART = 64 * 1024
"""Bytes of context, argument and payload, as JSON without blanks."""
SECONDS = 100 * 365 * 86_400
"""The longest interval: a century."""
SMALL = 2**31 - 1


class Body(Schema):
    """A JSON object whose every member is known."""

    class Meta:
        """Nothing is silently dropped."""

        unknown = RAISE

    error_messages = {"unknown": UNKNOWN, "type": "an object is accepted"}


class Nested(fields.Nested):
    """An object within an object."""

    default_error_messages = {
        "type": "an object is accepted", "required": NEEDED, "null": "null is not accepted",
    }  # fmt: skip


class Strict(fields.Field[Any]):
    """A field that takes one JSON type as it is; subclasses read the value."""

    kind: dict[str, Any] = {}
    default_error_messages = {"required": NEEDED, "null": "null is not accepted"}

    def __init__(self, words: str, example: Any = None, **options: Any) -> None:
        """`words` and `example` go into the document."""
        metadata = {"description": words, **self.described()}
        if example is not None:
            metadata["example"] = example
        super().__init__(metadata=metadata, **options)

    def described(self) -> dict[str, Any]:
        """What the OpenAPI document says of the values."""
        return self.kind

    def read(self, value: Any) -> Any:
        """What `value` means. Raises ValueError with what would be accepted."""
        return value

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return self.read(value)
        except ValueError as reason:
            raise ValidationError(str(reason)) from None


class Text(Strict):
    """A string of so many characters."""

    def __init__(self, words: str, example: Any = None, least: int = 0, most: int = TEXT,
                 **options: Any) -> None:  # fmt: skip
        """`least`, `most`: characters."""
        self.least, self.most = least, most
        super().__init__(words, example, **options)

    def described(self) -> dict[str, Any]:
        """A string with its length."""
        return {"type": "string", "minLength": self.least, "maxLength": self.most}

    def read(self, value: Any) -> str:
        """The string."""
        if not isinstance(value, str) or not self.least <= len(value) <= self.most:
            raise ValueError(f"a string of {self.least} to {self.most} characters is accepted")
        return value


class Uuid(Strict):
    """A UUID in any case -> 16 bytes."""

    kind = {"type": "string", "format": "uuid"}

    def read(self, value: Any) -> bytes:
        """Its bytes."""
        if not isinstance(value, str) or not UUID.fullmatch(value):
            raise ValueError("a UUID such as 0016750a-ee56-49e6-bf59-7c768c9869ac is accepted")
        return bytes.fromhex(value.replace("-", ""))


class OneOf(Strict):
    """A word of an enumeration, or one of some of them -> the member."""

    def __init__(self, words: str, vocabulary: Sequence[Word], **options: Any) -> None:
        """Accept the words of `vocabulary`."""
        self.members = {member.value: member for member in vocabulary}
        super().__init__(words, next(iter(self.members)), **options)

    def described(self) -> dict[str, Any]:
        """A string of a few."""
        return {"type": "string", "enum": list(self.members)}

    def read(self, value: Any) -> Word:
        """The member."""
        if isinstance(value, str) and value in self.members:
            return self.members[value]
        near = meant(str(value), list(self.members))
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"one of {', '.join(self.members)} is accepted{hint}")


class Whole(Strict):
    """A whole number within bounds."""

    def __init__(self, words: str, least: int = 1, most: int = SMALL, **options: Any) -> None:
        """Accept `least` to `most`."""
        self.least, self.most = least, most
        super().__init__(words, least, **options)

    def described(self) -> dict[str, Any]:
        """An integer with its bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, value: Any) -> int:
        """The number."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValueError(f"a whole number from {self.least} to {self.most} is accepted")
        return int(value)


class Id(Whole):
    """The number of a task, activity or workflow."""

    def __init__(self, words: str, **options: Any) -> None:
        """Any number that an id can be."""
        super().__init__(words, 1, LARGEST_ID, **options)


class Flag(Strict):
    """true or false."""

    kind = {"type": "boolean"}

    def read(self, value: Any) -> bool:
        """The truth value."""
        if not isinstance(value, bool):
            raise ValueError("true or false is accepted")
        return value


class Seconds(Strict):
    """A number of seconds, fractions allowed -> nanoseconds."""

    def __init__(self, words: str, zero: bool = False, most: int = SECONDS,
                 **options: Any) -> None:  # fmt: skip
        """`zero`: whether none at all is accepted; `most`: seconds."""
        self.zero, self.most = zero, most
        super().__init__(words, 60, **options)

    def described(self) -> dict[str, Any]:
        """A number with its bounds."""
        return {"type": "number", "minimum": 0, "exclusiveMinimum": not self.zero,
                "maximum": self.most}  # fmt: skip

    def read(self, value: Any) -> int:
        """Nanoseconds."""
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if number and 0 <= value <= self.most:
            nanoseconds = value * SECOND if isinstance(value, int) else round(value * SECOND)
            if nanoseconds or self.zero:
                return nanoseconds
        least = "from 0" if self.zero else "above 0"
        raise ValueError(f"a number of seconds {least} to {self.most} is accepted")


class Moment(Strict):
    """A time in any of the formats of the query -> epoch nanoseconds."""

    kind = {"type": "string", "format": "date-time"}

    def read(self, value: Any) -> int:
        """Epoch nanoseconds."""
        try:
            return instant(value)
        except (ValueError, TypeError):
            raise ValueError(f"{ACCEPTED}, is accepted") from None


class Json(Strict):
    """Any JSON value but null -> its text, which comes out again as it is."""

    def __init__(self, words: str, example: Any = None, most: int | None = PART,
                 **options: Any) -> None:  # fmt: skip
        """`most`: bytes; None: as many as the body may have."""
        self.most = most
        super().__init__(words, example, **options)

    def read(self, value: Any) -> str:
        """The text."""
        text = compact(value)
        if self.most is not None and len(text) * 4 > self.most and too_long(text, self.most):
            raise ValueError(f"at most {self.most} bytes of JSON are accepted")
        return text


def too_long(text: str, most: int) -> bool:
    """Whether `text` takes more bytes in UTF-8."""
    return len(text.encode()) > most


class JsonObject(Json):
    """A JSON object -> its text."""

    kind = {"type": "object", "additionalProperties": True}

    def read(self, value: Any) -> str:
        """The text."""
        if not isinstance(value, dict):
            raise ValueError("an object is accepted")
        return super().read(value)


class JsonList(Json):
    """A JSON list -> its text."""

    kind = {"type": "array", "items": {}}

    def read(self, value: Any) -> str:
        """The text."""
        if not isinstance(value, list):
            raise ValueError("a list is accepted")
        return super().read(value)


class Many(fields.List[Any]):
    """A list of so many items."""

    default_error_messages = {
        "invalid": "a list is accepted", "required": NEEDED, "null": "null is not accepted",
    }  # fmt: skip

    def __init__(self, inner: Any, words: str, least: int, most: int, example: Any = None,
                 **options: Any) -> None:  # fmt: skip
        """`least`, `most`: items."""
        self.least, self.most = least, most
        metadata = {"description": words, "minItems": least, "maxItems": most}
        if example is not None:
            metadata["example"] = example
        super().__init__(inner, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> list[Any]:
        if isinstance(value, list) and not self.least <= len(value) <= self.most:
            raise ValidationError(f"a list of {self.least} to {self.most} items is accepted")
        return super()._deserialize(value, attr, data, **options)
