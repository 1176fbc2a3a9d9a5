"""Is what lies in a run what comes out again: its report, and some of its trials."""
