"""What each collection can be asked and what it answers: rows only."""
