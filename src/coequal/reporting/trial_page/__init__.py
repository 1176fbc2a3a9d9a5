"""The page of one training run: losses, health, samples over time, what to try next."""
