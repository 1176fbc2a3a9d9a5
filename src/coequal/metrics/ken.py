"""Kernel-based entropic novelty: Zhang et al. 2024, arXiv:2402.17287."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg.lapack import dpstrf
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics import _arrays
from coequal.metrics._canonical_order import some
from coequal.metrics._kernels import bandwidth, gaussian_matrix
from coequal.metrics._threads import one_thread
from coequal.rng import Rng

PART = "KernelEntropicNovelty"
Array = NDArray[np.float64]
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class KernelEntropicNovelty(Metric):
    """How much of what is generated is rare or absent among the real images, and of how many kinds.

    Of the covariances of both sets in the space of a Gaussian kernel, `ken` takes the positive
    eigenvalues of C_fake - `novelty` C_real: modes that are more than `novelty` times as frequent
    among the generated images, each with its surplus frequency. The number is their sum times
    their Shannon entropy, sum l log(S / l) with S = sum l: 0 if there is no such mode, and also if
    all that is generated is a single one.

    The authors use it to find what one model has and another has not, and more is more novel. Of a
    generator against the real images that it should imitate, less is better: artefacts are novel,
    too, and so are modes that it repeats too often.

    Biased upwards for few images, of which chance makes modes; more, the narrower the kernel.

    The standard error is over new generated images, the real ones being the same, by the delta
    method: eigenvalue l answers to an image by its squared length along the eigenvector, and the
    number to l by log(S / l). In simulations it was 0.7 to 1.1 times the true one.

    Attributes:
        novelty: how many times as frequent a mode must be (the authors' eta; 5 and 10 in their
            examples).
        images: at most so many of each side, drawn at random: the work grows with their cube.
        sigma: of the kernel, in feature units; None: as in `rke`.
    """

    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "ken": MetricInfo(
            "lower",
            "nats; 0: nothing is new",
            best=0.0,
            label="KEN",
            use="kinds of images that are far more frequent than among the real ones, artefacts or "
            "inventions; against --floor",
        )
    }
    novelty: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 5.0
    images: Annotated[int, Field(ge=2)] = 2000
    sigma: Annotated[float, Field(gt=0)] | None = None

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (m, d) and the width of the kernel ()."""
        width = bandwidth(real.features) if self.sigma is None else self.sigma
        sigma = torch.tensor(width, dtype=torch.float64)
        return {"features": real.features, "sigma": sigma}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `ken`; undefined if all real images are alike and no width is given."""
        sigma = float(real["sigma"])
        if sigma == 0:
            reason = "all real images have the same features: the kernel has no width"
            return {"ken": MetricValue.undefined(reason)}
        theirs, ours = (
            some(rows, min(len(rows), self.images), rng)
            for rows in (fake.features, real["features"])
        )
        both = torch.cat([theirs, ours])
        kernel = _arrays.on_cpu(gaussian_matrix(both, both, sigma))  # LAPACK does the rest
        with one_thread():
            found = _novel(kernel, len(theirs), self.novelty)
        return {"ken": found._replace(details={"sigma": sigma})}


def _novel(kernel: Array, fakes: int, novelty: float) -> MetricValue:
    """KEN and its standard error, of a kernel matrix whose first rows are of generated images.

    C_fake - novelty C_real has the non-zero eigenvalues of G D, G being the kernel matrix with
    entries over the roots of both counts (those of real images times novelty) and D 1 for
    generated and -1 for real images. With G = L L' that are the eigenvalues of L' D L, which is
    symmetric; L is a Cholesky root with pivots, without the rows that rounding makes of nothing.
    """
    count = len(kernel)
    signs = np.where(np.arange(count) < fakes, 1.0, -1.0)
    weights = np.where(signs > 0, fakes, (count - fakes) / novelty) ** -0.5
    scaled = kernel * weights[:, None] * weights
    lower, pivots, rank, _ = dpstrf(scaled, lower=1)
    root = np.tril(lower)[:, :rank]
    signs = signs[pivots - 1]
    sandwich = (root.T * signs) @ root
    values, vectors = scipy.linalg.eigh(sandwich)
    seen = values > count * EPSILON * np.abs(values).max()
    if not seen.any():
        return MetricValue(0.0, 0.0)
    found, total = values[seen], float(values[seen].sum())
    surprise = np.log(total / found)
    # Of each generated image the squared length along each eigenvector; 1 / fakes is its weight.
    along = np.square(root[signs > 0] @ vectors[:, seen]) * fakes
    influence = along @ surprise
    return MetricValue(
        max(float(found @ surprise), 0.0), float(influence.std(ddof=1)) / math.sqrt(fakes)
    )
