"""What may be scored: folders, zips, arrays, datasets, what a generator made."""
