"""The study: its file, its checks, its plan."""
