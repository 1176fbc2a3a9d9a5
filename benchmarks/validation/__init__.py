"""Simulations that show what the project's statistics promise; run by `benchmarks/validate.py`.

Every module here except `common` and `laws` has `rows(quick) -> Iterable[Row]`."""
