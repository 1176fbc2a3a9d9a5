"""What may be scored: folders, zips, arrays, data sets, what a generator made."""
