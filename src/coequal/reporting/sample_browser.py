"""A few images of many trials, small enough to stand in the page: for browsing samples."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from coequal import formatting
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.images import Pixels, data_uri, enlarge, png_bytes, tile
from coequal.reporting.image_grids import Images, are_points
from coequal.reporting.setting_text import setting_text
from coequal.reporting.templating import template
from coequal.reporting.trial_table import TrialTable
from coequal.results.folder import RunFolder

IMAGES_IN_A_STRIP = 8
MAX_SIDE_PIXELS = 32  # wider images are made smaller
POINTS_SIDE_PIXELS = 64  # of points in the plane, which are counted in so many rows and columns
STRIPS_BYTES = 1_500_000  # of all strips of a page
PAGE_BYTES = 4_800_000  # what page and strips may have together
MARKUP_BYTES = 260  # of a strip on the page, beside its picture


@dataclass(frozen=True)
class Strip:
    """Images of a trial at one checkpoint.

    Attributes:
        trial: what became of the trial.
        step: of the checkpoint.
        uri: the picture, in a data URI.
    """

    trial: TrialSummary
    step: int
    uri: str

    @property
    def text(self) -> str:
        """Which run it is."""
        again = f", fresh seed {self.trial.repeat}" if self.trial.repeat else ""
        return formatting.capital(f"{setting_text(self.trial.number)}{again}")

    def score(self, label: str) -> str:
        """The test value of its checkpoint, after a comma; empty where there is none."""
        test = float(self.trial.numbers[1, self.trial.steps.index(self.step)])
        return f", test {label} {formatting.number(test)}" if math.isfinite(test) else ""


@dataclass(frozen=True)
class SampleStrips:
    """The strips of a study, the most wanted first.

    Attributes:
        real: a strip of real images in a data URI, by dataset.
        strips: of trials.
    """

    real: Mapping[str, str] = field(default_factory=dict)
    strips: Sequence[Strip] = ()

    def html(self, table: TrialTable, room: int) -> Markup:
        """The strips that fit, as a section of the page; empty without any.

        Args:
            table: of the page's trials.
            room: bytes that are left for them.
        """
        fitting: list[Strip] = []
        for strip in self.strips:
            room -= len(strip.uri) + MARKUP_BYTES
            if room < 0:
                break
            fitting.append(strip)
        if not fitting:
            return Markup()
        return Markup(
            template("sample_browser.html.jinja").render(
                groups=_groups(table, fitting),
                table=table,
                real=self.real,
                count=len(fitting),
                images=IMAGES_IN_A_STRIP,
                limit=formatting.size(STRIPS_BYTES),
            )
        )


@dataclass(frozen=True)
class Group:
    """The strips of one model on one dataset, by setting, seed and step.

    Attributes:
        summary: of the dataset.
        model: whose they are.
        strips: of its trials.
    """

    summary: DataSummary
    model: ModelSummary
    strips: Sequence[Strip]


def _groups(table: TrialTable, strips: Sequence[Strip]) -> list[Group]:
    by_row: dict[int, list[Strip]] = {}
    for strip in strips:
        by_row.setdefault(table.rows[strip.trial.trial], []).append(strip)
    groups: dict[tuple[int, int], list[Strip]] = {}
    for row in sorted(by_row):
        one = table.listed[row]
        own = groups.setdefault((one.place, one.model.index), [])
        own += sorted(by_row[row], key=lambda strip: strip.step)
    return [
        Group(table.datasets[place], table.datasets[place].models[model], own)
        for (place, model), own in groups.items()
    ]


def without_strips(html: str) -> tuple[str, set[str]]:
    """A page without its samples of every setting, and these apart.

    A run's folder from which `coequal clean` has removed samples, and a pack, give fewer of them
    and the same page.
    """
    strips = {strip for part in _BROWSER.findall(html) for strip in _STRIP.findall(part)}
    return _BROWSER.sub("", html), strips


_BROWSER = re.compile(r'<section class="browse".*?</section>\n?', re.DOTALL)
_STRIP = re.compile(r'<figure class="strip".*?</figure>', re.DOTALL)


def sample_strips(folder: RunFolder, summaries: Sequence[DataSummary]) -> SampleStrips:
    """Read strips of as many trials as the page has room for.

    First those that `coequal clean` and `coequal pack` keep: chosen settings, the authors' and
    other re-run settings, their checkpoints and fresh seeds. Then the other settings, the best of
    each model first, at their last checkpoints, and at last their other checkpoints.

    Args:
        folder: of the run.
        summaries: one for each dataset.
    """
    real = {}
    for summary in summaries:
        images = folder.real_samples(summary.data)
        if images is not None:
            real[summary.data] = _picture(images)
    strips, room = [], STRIPS_BYTES
    for trial, step in _wanted(summaries):
        kept = folder.samples(trial.trial, step)
        if kept is None:
            continue
        strips.append(Strip(trial, step, _picture(kept)))
        room -= len(strips[-1].uri)
        if room < 0:
            break
    return SampleStrips(real, strips)


def _wanted(summaries: Sequence[DataSummary]) -> Iterator[tuple[TrialSummary, int]]:
    """Trials and steps, the most wanted first."""
    found = []
    for summary in summaries:
        for model in summary.models:
            for tier, rank, trial in _of_model(model):
                last = _shown_step(trial)
                for step in trial.steps:
                    later = tier if step == last else tier + 1
                    found.append(((later, rank, model.index, step), trial, step))
    found.sort(key=lambda one: one[0])  # stable: datasets stay in their order
    yield from ((trial, step) for _, trial, step in found)


def _of_model(model: ModelSummary) -> Iterator[tuple[int, int, TrialSummary]]:
    """A model's trials with the tier in which they are wanted and the rank in it; its other
    checkpoints are wanted in the next tier."""
    searched = sorted(model.tried, key=lambda t: (t.score, t.number))
    first = {0, *model.candidates}
    for rank, trial in enumerate(searched):
        tier = 0 if trial is model.chosen else 2 if trial.number in first else 6
        yield tier, rank, trial
        if trial.number in first:
            for again in model.fresh_seeds.get(trial.number, ()):
                yield 4, again.repeat, again


def _shown_step(trial: TrialSummary) -> int | None:
    """The step where a trial is judged; of a failure, its last."""
    if trial.checkpoint is not None:
        return trial.checkpoint.step
    return trial.steps[-1] if trial.steps else None


def _picture(images: Images) -> str:
    return data_uri(png_bytes(_counts(images) if are_points(images) else _strip(images)))


def _strip(images: Images) -> Pixels:
    row = tile(images[:IMAGES_IN_A_STRIP], IMAGES_IN_A_STRIP)
    return enlarge(row, min(1.0, MAX_SIDE_PIXELS / images.shape[-1]))


def _counts(points: NDArray[np.float32]) -> Pixels:
    """Points in the plane as dots, darker where more of them lie."""
    x, y = points[:, 0, 0, 0], points[:, 1, 0, 0]
    limits = [[0, 1], [0, 1]]
    counts, *_ = np.histogram2d(1 - y, x, bins=POINTS_SIDE_PIXELS, range=limits)
    return np.asarray(255 - np.minimum(counts * 85, 255), dtype=np.uint8)
