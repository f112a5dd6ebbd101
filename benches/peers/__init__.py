"""The same list of tasks by other frameworks, in an environment of their own."""
