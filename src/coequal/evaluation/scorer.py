"""Measures the sides of a score: images to features to numbers, with one encoder on one device."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coequal.contract import ImageSet, Log, Statistics
from coequal.contract.data import in_memory
from coequal.evaluation.encoder_choice import EncoderChoice
from coequal.evaluation.feature_cache import cached_features
from coequal.evaluation.measure import Measured, image_set, measure
from coequal.evaluation.neighbour_sheet import announce_sheet
from coequal.evaluation.reference_cache import cached_reference
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.requirements import not_measurable
from coequal.evaluation.score_record import (
    encoder_in_protocol,
    finite,
    real_in_protocol,
)
from coequal.evaluation.score_sides import key_of
from coequal.inputs.input import Input

References = dict[tuple[str, str], Mapping[str, Tensor]]  # by metric, and by what it saw


@dataclass(frozen=True)
class Scorer:
    """What all measurements of one score share.

    Attributes:
        choice: the encoder of images, and the device.
        seed: of the metrics' own draws.
        cache: the folder of all caches.
        log: is told about long work.
        references: what metrics know of the real images, as far as it is known by now.
    """

    choice: EncoderChoice
    seed: int
    cache: Path
    log: Log
    references: References = field(default_factory=dict)

    def image_set(
        self,
        source: Input,
        required: Collection[str],
        statistics: Statistics | None = None,
        features: bool = True,
    ) -> ImageSet:
        """Features, mapped from a file if they are in one, and what else is needed.

        Args:
            source: images, features, or only statistics.
            required: what the metrics need beyond features.
            statistics: those that stand for features where a metric takes them.
            features: whether any metric looks at the features.
        """
        encoder, device = self.choice.encoder, self.choice.device
        if source.features is not None:
            return image_set(
                source.features,
                None,
                required,
                labels=source.labels,
                statistics=statistics,
                device=device,
            )
        rows = in_memory(torch.empty(len(source), 0))  # where nothing uses features
        if source.images is None:
            return image_set(rows, None, (), statistics=statistics, device=device)
        if encoder is not None and features:
            digest, what = source.digest(), source.what
            rows = cached_features(source.images, digest, encoder, self.cache, self.log, what)
        return image_set(
            rows,
            encoder,
            required,
            images=source.images,
            labels=source.labels,
            manifold=None if source.dataset is None else source.dataset.manifold,
            generator=source.generator,
            statistics=statistics,
            device=device,
        )

    def measured(
        self,
        requested: RequestedMetrics,
        sources: Mapping[str, Input],
        sets: Mapping[str, ImageSet],
        *,
        neighbours: bool = False,
        per_image: bool = False,
    ) -> Measured:
        """The numbers.

        Args:
            requested: metrics that can be had of these images.
            sources: the sides.
            sets: the same, as the metrics see them.
            neighbours: whether neighbours of the fakes will be shown: a pass over both sets, if a
                metric makes one, finds them.
            per_image: whether to measure single images, too.
        """
        encoder, real = self.choice.encoder, sources["real"]
        if neighbours:
            announce_sheet(sets["fake"], sets["train" if "train" in sets else "real"])
        return measure(
            requested,
            encoder=encoder_in_protocol(encoder, sources),
            real=real_in_protocol(real),
            real_statistics=sets["real"].statistics,
            references=partial(self._reference, requested, sources, sets),
            fake=sets["fake"],
            note=sources["fake"].drawn,
            seed=self.seed,
            per_image=per_image,
            device=self.choice.device,
            log=self.log,
        )

    def numbers_of(
        self, requested: RequestedMetrics, sides: Mapping[str, Input]
    ) -> dict[str, dict[str, Any]]:
        """The numbers of two sides alone, by metrics that see no training images and train
        nothing. Features of images that are known are in the cache."""
        trained = [n for n, p in requested.parts.items() if p.costly or "train" in p.required]
        wanted = requested.without(trained)
        none: dict[str, str | None] = {"fake": None, "train": None}
        wanted = wanted.without(not_measurable(wanted, sides, self.choice.encoder, none))
        sets = {
            role: self.image_set(side, wanted.required_of(role)) for role, side in sides.items()
        }
        measured = self.measured(wanted, sides, sets)
        return {
            name: {
                "value": finite(number.value.value),
                "standard_error": finite(number.value.standard_error),
                "protocol": number.protocol,
            }
            for name, number in measured.numbers.items()
        }

    def _reference(
        self,
        requested: RequestedMetrics,
        sources: Mapping[str, Input],
        sets: Mapping[str, ImageSet],
        name: str,
    ) -> Mapping[str, Tensor]:
        """What a metric knows of the real images, made once; from the cache if it is costly and
        known."""
        metric, both = requested.parts[name], (sets["real"], sets.get("train"))
        known = [sources[role] for role in ("real", "train") if role in sources]
        key = key_of(
            known, self.choice.encoder if metric.sees_features else None, self.choice.device
        )
        if (name, key) not in self.references:
            self.references[name, key] = (
                cached_reference(name, metric, key, self.cache, lambda: both, self.log)
                if metric.costly
                else metric.reference(*both)
            )
        return self.references[name, key]
