"""Which trials and models an artist of a figure shows, so that a reader can ask for them.

An artist carries this in its gid, which matplotlib writes as the id of the artist's group in the
SVG. `plain` takes it out for a file that stands alone. For the page, `attributes` and `numbered`
make `data-` attributes of it, which `look_closer.js` reads.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary


def show_trials(artist: Artist, trials: Sequence[TrialSummary]) -> None:
    """Say which trials an artist shows.

    Args:
        artist: a line with a marker for each trial, a collection of lines, or anything that shows a
            single trial as a whole.
        trials: in the order of the points or lines. Those whose point is not finite are not drawn.
    """
    shown = list(trials)
    if isinstance(artist, Line2D) and len(shown) > 1:
        points = np.asarray(artist.get_xydata()).tolist()
        pairs = zip(points, trials, strict=True)
        shown = [trial for point, trial in pairs if all(map(math.isfinite, point))]
    artist.set_gid("trials:" + ",".join(trial.trial for trial in shown))


def show_model(artist: Artist, model: ModelSummary) -> None:
    """Say that an artist shows a model as a whole: its curve, its interval, its name."""
    chosen = "" if model.chosen is None else model.chosen.trial
    artist.set_gid(f"model:{model.index}:{chosen}")


@contextmanager
def showing(model: ModelSummary, *axes: Axes) -> Iterator[None]:
    """Say of everything that is drawn on these axes meanwhile that it shows the model, but of what
    shows trials."""
    before = {artist for each in axes for artist in each.get_children()}
    yield
    for each in axes:
        for artist in each.get_children():
            if artist not in before and artist.get_gid() is None:
                show_model(artist, model)


def plain(svg: bytes) -> bytes:
    """An SVG file without what its groups show."""
    return re.sub(rb'<g id="(?:trials|model):[^"]*"', b"<g", svg)


def attributes(svg: str) -> str:
    """An SVG file whose groups say in attributes what they show: `data-model-shown="2:ID"` a model
    by its place in the study, with its chosen trial; `data-trials="ID,ID"` trials in the order of
    the group's markers or lines."""
    svg = re.sub(r'<g id="model:([^"]*)"', r'<g data-model-shown="\1"', svg)
    return re.sub(r'<g id="trials:([^"]*)"', r'<g data-trials="\1"', svg)


def numbered(html: str, rows: Mapping[str, int]) -> str:
    """A page that names trials by their rows in its table of trials.

    Args:
        html: with figures that `attributes` has been applied to.
        rows: the row of each trial, by its id. An element with a trial that it lacks loses its
            mark.

    Returns:
        The page, with `data-t="7 9-12"` in place of trials, and `data-m="2 9"` in place of a model
        with its chosen trial, "-1" without one.
    """

    def model(match: re.Match[str]) -> str:
        place, _, chosen = match[1].partition(":")
        return f' data-m="{place} {rows.get(chosen, -1)}"'

    def trials(match: re.Match[str]) -> str:
        ids = match[1].split(",")
        if not all(each in rows for each in ids):
            return ""
        return f' data-t="{_runs(rows[each] for each in ids)}"'

    html = re.sub(r' data-model-shown="([^"]*)"', model, html)
    return re.sub(r' data-trials="([^"]*)"', trials, html)


def _runs(rows: Iterable[int]) -> str:
    """Rising neighbours in short: 7, 9, 10, 11 is "7 9-11"."""
    listed = list(rows)
    starts = [0, *(k for k, (a, b) in enumerate(pairwise(listed), 1) if b != a + 1), len(listed)]
    runs = [(listed[a], listed[b - 1]) for a, b in pairwise(starts)]
    return " ".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
