"""What a score is asked for, the same for every set of generated images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from coequal import lookup
from coequal.contract import Encoder, Log
from coequal.evaluation.encoder_choice import EncoderChoice, chosen_encoder, need_features
from coequal.evaluation.image_ranking import PerImageRequest, ranking, refuse_per_image
from coequal.evaluation.requested import RequestedMetrics, requested_metrics
from coequal.evaluation.score_sides import CPU, only_statistics
from coequal.evaluation.sheet_files import refuse_sheet
from coequal.inputs.input import Input, Scorable
from coequal.inputs.load import load_input
from coequal.value_range import UNIT, ValueRange

DEFAULT_METRICS = ("fd", "precision", "recall")
WORST_ON_A_PAGE = 12  # images of each end, where no number is asked for


@dataclass(frozen=True)
class ScoreRequest:
    """What is to be measured, and how.

    Attributes:
        data_dir: where datasets lie.
        cache: the folder of all caches.
        log: is told about long work.
        metrics: names of metrics or of their numbers, "recommended", or "all" that apply and take
            no training.
        settings: by metric, those that are not to be its defaults.
        encoder: a name of `coequal list encoders`; None: chosen by the data, and reported.
        image_size: images are cropped to their centre square and resized to it.
        value_range: black and white of images that are floats.
        real_count: of how many images the statistics are that stand for real ones.
        max_images: streams are read no further than the first so many.
        seed: of subsets and shuffles.
        sheet: a .png to write, with fakes beside their nearest images.
        floor: whether real images are scored against real ones, too.
        page: whether to measure what a page shows beside the numbers: neighbours, a curve of
            precision and recall, the worst and the best images, with `floor` also what noise
            scores. What can't be had is left out then, with the reason.
        per_image: what to tell of single generated images.
        device: what the encoder and the metrics compute on, as `devices.computing_on` gives it.
    """

    data_dir: Path
    cache: Path
    log: Log
    metrics: Sequence[str] | str = DEFAULT_METRICS
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    encoder: str | None = None
    image_size: int | None = None
    value_range: ValueRange = UNIT
    real_count: int | None = None
    max_images: int | None = None
    seed: int = 0
    sheet: Path | None = None
    floor: bool = False
    page: bool = False
    per_image: PerImageRequest = field(default_factory=PerImageRequest)
    device: torch.device = CPU

    def read(self, source: Scorable, **known: Any) -> Input:
        """Read a side, as `inputs.load.load_input` does."""
        load = partial(load_input, data_dir=self.data_dir, image_size=self.image_size)
        return load(
            source,
            value_range=self.value_range,
            max_images=self.max_images,
            cache=self.cache,
            log=self.log,
            **known,
        )

    def requested(self) -> RequestedMetrics:
        """The metrics that are asked for.

        Raises:
            ValueError, LookupError: there are no such metrics, settings or encoder.
        """
        requested = requested_metrics(self.metrics, self.settings)
        if idle := [name for name in self.settings if name not in requested.parts]:
            names = ", ".join(idle)
            raise ValueError(f"settings of {names}, which is not among the requested metrics")
        if self.encoder is not None:
            lookup.load_class("encoders", self.encoder, Encoder)
        return requested

    def refuse(self, requested: RequestedMetrics, sources: Mapping[str, Input]) -> None:
        """Refuse what these sides can't give, before anything is measured.

        Raises:
            ValueError: a sheet, a list of images or a floor can't be had.
            OSError: a file can't be written where it is asked for.
        """
        refuse_sheet(self.sheet, sources["fake"], sources.get("train", sources["real"]))
        refuse_per_image(self.per_image, requested, sources["fake"])
        if self.floor and not self.page and (role := only_statistics(sources)):
            raise ValueError(f"a floor needs {role} images or features; statistics were given")

    def choice(self, requested: RequestedMetrics, sources: Mapping[str, Input]) -> EncoderChoice:
        """The encoder on the device; none where nothing uses features."""
        if not need_features(requested, self.encoder, self.sheet is not None or self.page):
            return EncoderChoice(None, "no metric uses features").on(self.device)
        return chosen_encoder(self.encoder, sources, self.cache, self.log).on(self.device)

    def per_image_of(self, requested: RequestedMetrics) -> PerImageRequest:
        """What to tell of single images: a page shows some of the worst and best where any metric
        ranks them."""
        if self.page and self.per_image.worst is None and ranking(requested):
            return self.per_image._replace(worst=WORST_ON_A_PAGE)
        return self.per_image

    def ranks_images(self, requested: RequestedMetrics) -> bool:
        """Whether the worst and the best images are listed."""
        return self.per_image_of(requested).worst is not None
