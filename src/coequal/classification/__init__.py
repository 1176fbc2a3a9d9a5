"""Nets that tell classes apart, trained here: by recipes with names, to the same bits for the same
images and seed."""
