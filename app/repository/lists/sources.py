"""Parts of a SELECT that Peewee has no words for: tables read along an index, in a fixed order."""

from typing import Any

from peewee import Node


class Along(Node):
    """A table read along a named index, or (None) from its first row to its last."""

    def __init__(self, model: Any, index: str | None, dialect: str) -> None:
        """Name `index` of `model` in the words of `dialect`."""
        super().__init__()
        self.model = model
        if dialect == "sqlite":
            self.words = f" INDEXED BY {index}" if index else " NOT INDEXED"
        else:
            self.words = f" FORCE INDEX ({index or 'PRIMARY'})"

    def __sql__(self, context: Any) -> Any:
        """The table with its alias, then the index."""
        return context.sql(self.model).literal(self.words)


class Beside(Node):
    """Rows of one source with those of a table that they lead to, read in that order."""

    def __init__(self, first: Node, second: Any, on: Any, dialect: str) -> None:
        """Join `second` to `first`; neither engine may turn them round."""
        super().__init__()
        self.first, self.second, self.on = first, second, on
        self.words = " CROSS JOIN " if dialect == "sqlite" else " STRAIGHT_JOIN "

    def __sql__(self, context: Any) -> Any:
        """The two sources and what joins them."""
        return (
            context.sql(self.first)
            .literal(self.words)
            .sql(self.second)
            .literal(" ON ")
            .sql(self.on)
        )


class Joined(Node):
    """A source with the rows of a table that there may or may not be for it."""

    def __init__(self, first: Any, second: Any, on: Any) -> None:
        """Join `second` to `first` where it is there."""
        super().__init__()
        self.first, self.second, self.on = first, second, on

    def __sql__(self, context: Any) -> Any:
        """A left outer join."""
        context.sql(self.first).literal(" LEFT OUTER JOIN ").sql(self.second)
        return context.literal(" ON ").sql(self.on)


class Tested(Node):
    """A column by which no index is entered: it is only tested."""

    def __init__(self, column: Any) -> None:
        """Stand for `column`."""
        super().__init__()
        self.column = column

    def __sql__(self, context: Any) -> Any:
        """SQLite's unary plus."""
        return context.literal("+").sql(self.column)
