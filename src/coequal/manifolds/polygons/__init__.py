"""Polygons as images, and the polygon closest to an image."""
