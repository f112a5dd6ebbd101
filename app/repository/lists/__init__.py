"""Lists and counts: what is asked, which indexes answer it, what the answer looks like."""
