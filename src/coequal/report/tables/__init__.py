"""The tables of the report: what a reader sees, and the same in full precision."""
