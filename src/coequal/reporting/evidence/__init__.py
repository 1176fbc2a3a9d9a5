"""The evidence of the report: a module for each piece, put in order by `order`."""
