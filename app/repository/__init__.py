"""The only SQL: acts that read or change the database, with plain arguments."""
