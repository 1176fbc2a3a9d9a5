"""Torch modules, functions and files of others as generators of the contract."""
