"""What is raised if a part breaks the contract."""


class ContractError(ValueError):
    """A part does not do what its kind must do: it returned something else, takes other arguments,
    or drew from a global generator. The message says what was expected, and where the part is."""
