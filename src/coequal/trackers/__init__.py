"""Trackers: callbacks that log every trial to a program that people look at. One file each."""
