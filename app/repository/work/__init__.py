"""Tasks and activities on their way: enqueued, claimed, stepped, ended."""
