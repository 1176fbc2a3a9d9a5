"""The page of a score, of several scores, and of saved scores that are compared."""
