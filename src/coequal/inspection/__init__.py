"""What is asked of a run: how far it is, samples of its models, what went wrong."""
