"""Faults that the drill must notice, each put into a copy of the code, and one that it must not."""

WRITES, STEPS = "app/database.py", "app/repository/work/steps.py"
DEATH = (
    STEPS,
    "    store(database, old, new, taking.details)\n    if old.held and",
    "    store(database, old, new, taking.details)\n"
    "    if old.held and not new.held and __import__('random').random() < 0.15:\n"
    "        __import__('signal').raise_signal(9)\n"
    "    if old.held and",
)
"""Now and then the process dies between two writes of one step. Kills from outside may all miss
that moment on a slow machine."""
FAULTS = {
    "fence": ((STEPS, "facts.fence == fence and ", ""),),
    "transaction": ((WRITES, ", self.transaction((begin,)):", ":"), DEATH),
    "death": (DEATH,),
}
"""For each fault: files, what is right in them, and what is put in all its places instead. Death
alone must break nothing."""
