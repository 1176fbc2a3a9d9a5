"""Numbers to one page, figures and tables. Needs no torch."""
