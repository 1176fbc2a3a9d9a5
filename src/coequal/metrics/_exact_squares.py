"""Squared distances of all pairs in float64, none of them blurred by rounding.

For whoever needs the distances themselves; for nearest neighbours and counts in balls `_distances`
is faster.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.metrics._tiles import paired_squares

NEAR = 1e-6  # of both squared norms: a product gives fewer than eight digits of smaller squares
OPEN = 1e-9  # likewise: on which side of an edge so near a square lies is not certain


def exact_squares(
    rows: Float[Tensor, "m d"],
    columns: Float[Tensor, "n d"],
    middle: Float[Tensor, " d"],
    edges: Float[Tensor, " m"] | None = None,
) -> Float[Tensor, "m n"]:
    """|x - y|^2 of all pairs, 0 for equal points: from products, and from differences where these
    are uncertain.

    Args:
        rows: the points x.
        columns: the points y.
        middle: a point that both are measured from; near their mean products are most precise.
        edges: a square for each row, with which the squares will be compared.
    """
    left, right = rows.double() - middle.double(), columns.double() - middle.double()
    norms = left.square().sum(1)[:, None] + right.square().sum(1)
    squares = torch.addmm(norms, left, right.T, alpha=-2)
    uncertain = squares <= NEAR * norms
    if edges is not None:
        uncertain |= (squares - edges[:, None]).abs_() < OPEN * norms
    row, column = uncertain.nonzero(as_tuple=True)
    squares[row, column] = paired_squares(rows, columns, row, column)
    return squares
