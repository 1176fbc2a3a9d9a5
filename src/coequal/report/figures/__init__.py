"""The figures of the report, each drawn from a summary alone."""
