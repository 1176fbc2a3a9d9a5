"""A run, or a folder of runs, as a site that follows them while they go on; nothing is written to
them."""
