"""The coordinator of a run: what is still to do, who does it, when it ends."""
