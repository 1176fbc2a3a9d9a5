"""Contract checks for parts of your own: one line of a test suite for each.

    from coequal.testing import check_objective

    from my_lab.losses import Hinge

    def test_my_loss_keeps_the_contract():
        check_objective(Hinge(margin=0.5))

A check builds small nets or data, uses the part as a study would, and raises `AssertionError` with
what is wrong and where. It holds what `docs/explanation/contract.md` promises to everybody: that the part is
finite, repeatable, free of global random numbers, and what it declares itself to be. It can't know
whether the part computes the formula that you meant: test that with numbers worked out by hand.

| check | a part | what it holds, among others |
|---|---|---|
| `check_objective` | an `Objective` | a finite scalar that writes to no net; a run that is stopped and resumed is the same, bit for bit |
| `check_architecture` | an `Architecture` | nets of the kinds that it declares; images in [0, 1] that follow from the latents alone |
| `check_metric` | a `Metric` | its direction; the same number for the same images in another order |
| `check_encoder` | an `Encoder` class | features of an image that do not depend on the other images, or on the cache |
| `check_dataset` | a loader | three disjoint splits of one form, the same at every call |

They need no test framework. Where a part can't be had on a machine (weights that are missing),
`unittest.SkipTest` is raised, which pytest, too, reports as a skip.
"""  # noqa: E501

from coequal.testing.architectures import check_architecture
from coequal.testing.datasets import check_dataset
from coequal.testing.encoders import check_encoder
from coequal.testing.metrics import check_metric
from coequal.testing.objectives import check_objective

__all__ = [
    "check_architecture",
    "check_dataset",
    "check_encoder",
    "check_metric",
    "check_objective",
]
