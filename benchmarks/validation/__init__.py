"""Simulations that check the guarantees of the project's statistics; run by
`benchmarks/validate.py`.

Every module here except `common`, `distributions` and `simulated` has
`rows(quick) -> Iterable[Row]`.
"""
