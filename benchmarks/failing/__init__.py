"""Runs that go well and runs that go wrong on purpose: what the health rules are calibrated on."""
