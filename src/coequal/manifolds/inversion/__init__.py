"""How near a generator can come to given images."""
