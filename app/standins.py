"""Flask's stand-ins for the request, its notes and the application, and what they stand for."""

from typing import Any, TypeVar

Thing = TypeVar("Thing")


def itself(standin: Thing) -> Thing:
    """What `standin` stands for at this moment.

    Each look through a stand-in takes four calls, and in a request there are dozens of looks.
    """
    known: Any = standin
    found: Thing = known._get_current_object()
    return found
