"""Where made images lie, in closed form: formulas of data sets that metrics measure against."""
