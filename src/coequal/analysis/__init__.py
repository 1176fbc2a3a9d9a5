"""From the results of a run to the numbers that are reported: no picture, no sentence."""
