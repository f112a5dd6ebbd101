"""Faults that the drill must notice, each put into a copy of the code."""

WRITES = "app/database.py"
FAULTS = {
    "fence": (("app/repository/steps.py", "facts.fence == fence and ", ""),),
    "transaction": (
        (WRITES, 'self.transaction(("START TRANSACTION",)) if', "self.translated() if"),
        (WRITES, ', self.transaction(("BEGIN IMMEDIATE",)):', ":"),
        # Each write takes its time, so that a kill can meet half of them.
        (WRITES, "    return int(self.", "    sleep(0.03)\n            return int(self."),
    ),
}
"""For each fault: files, what is right in them, and what is put in all its places instead."""
