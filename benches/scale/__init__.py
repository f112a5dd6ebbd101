"""`make scale`: how the service grows with its tables, written to docs/benchmarks.md."""
