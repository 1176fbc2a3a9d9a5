"""One trial in a worker: its nets, its training, its pulse, its result."""
