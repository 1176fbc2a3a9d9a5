"""Where made images lie, in closed form: formulas of datasets that metrics measure against."""
