"""A run as an object: its results, verdict, figures and samples, and how a notebook shows it."""

import importlib
import shutil
import textwrap
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from coequal.api.study import Study, stored_study
from coequal.devices import AUTO, computing_on
from coequal.records import Result
from coequal.results.collect import open_results
from coequal.results.export import typed_records
from coequal.results.folder import RunFolder
from coequal.results.pack import opened

if TYPE_CHECKING:
    from coequal.analysis.data_summary import DataSummary
    from coequal.reporting.shown_figures import Figures
    from coequal.reporting.shown_values import Diagnosis

__all__ = ["Samples", "Verdict"]

TABLES = ("pandas", "polars")
"""Packages that may provide the DataFrame of `Run.results`; the first one installed does."""


@dataclass(frozen=True)
class Verdict:
    """What a run says about its models.

    Attributes:
        sentence: the verdict in words: over all datasets, or on the only one.
        pairs: what is known of each pair of models, one record per pair and dataset: the
            probability that one is better, its interval, and whether the pair is decided.
        models: a record for each model and dataset: its best setting, scores, failures.
        datasets: everything that report/verdict.json says of each dataset, by name.
    """

    sentence: str
    pairs: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...]
    datasets: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence}"


@dataclass(frozen=True)
class Samples:
    """Images of a trained generator.

    Attributes:
        images: (n, channels, height, width): uint8, or float32 in [0, 1].
        labels: (n,) the classes that were asked for; None if the generator takes no classes.
        classes: names of the classes; None if the generator takes no classes.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> NDArray[Any]:  # so that numpy, matplotlib and `coequal.score` take it for an array
        return np.array(self.images, dtype, copy=bool(copy)) if copy or dtype else self.images

    def save(self, out: str | Path) -> Path:
        """Write the images.

        Args:
            out: ends with .png (one sheet) or .npy (an array), or is a folder for one PNG each.

        Returns:
            The path.

        Raises:
            FileExistsError: an array or a folder with files is there already.
            ValueError: the name ends like that of another kind of file.
        """
        import torch

        from coequal.inspection.image_files import refuse_place, write_images

        refuse_place(Path(out))
        labels = None if self.labels is None else torch.from_numpy(self.labels)
        return write_images(torch.from_numpy(self.images), Path(out), labels, self.classes)

    def _repr_png_(self) -> bytes:
        from coequal.images import to_uint8
        from coequal.reporting.image_grids import are_points, square_sheet

        if are_points(self.images):
            return square_sheet(self.images)
        import torch

        return square_sheet(to_uint8(torch.from_numpy(self.images)).numpy(), at_least=42)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.images.shape[1:]))
        return f"Samples: {len(self)} images, {shape}, {self.images.dtype}"


class Run:
    """A run of a study: what its folder, or its pack, holds.

    A notebook shows the verdict, a table and samples. Everything is read and computed when it is
    first asked for, and kept; `load` the run again to see results that came later.

    Args:
        folder: of the run.
        results: of the planned trials, by id; None: they are read from the folder.

    Attributes:
        path: the folder, or the pack.

    Examples:
        >>> import coequal as cq
        >>> run = cq.run("smoke")                             # doctest: +SKIP
        >>> run.verdict                                       # doctest: +SKIP
        >>> run.results.groupby("model").fd_test.median()     # doctest: +SKIP
        >>> run.figures["pairs"].save("pairs.pdf")            # doctest: +SKIP
    """

    def __init__(self, folder: RunFolder, results: Mapping[str, Result] | None = None) -> None:
        self._folder = folder
        self._given = results

    @property
    def path(self) -> Path:
        """The folder of the run, or its pack."""
        return self._folder.place

    @cached_property
    def study(self) -> Study:
        """The study, with every default filled in."""
        return stored_study(self._folder)

    @cached_property
    def trials(self) -> Mapping[str, Result]:
        """The results of all trials that have one, by trial id, in the order of the plan; each is
        read when it is first needed."""
        if self._given is not None:
            return self._given
        return open_results(self._folder).of(self._folder.planned())

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The rows of results.csv, one for each trial and checkpoint, as plain values; missing
        values are None. The columns are described in docs/reference/run_files.md."""
        return typed_records(self._folder.rule(), self.trials)

    @cached_property
    def results(self) -> Any:
        """The records as a pandas DataFrame, as a polars one if only polars is installed, or as a
        plain list if neither is."""
        for name in TABLES:
            try:
                package = importlib.import_module(name)
            except ModuleNotFoundError:
                continue
            if name == "pandas":
                return package.DataFrame.from_records(self.records)
            return package.DataFrame(self.records, infer_schema_length=None)
        return self.records

    @cached_property
    def verdict(self) -> Verdict:
        """What the run says about its models: the sentence, and what is known of each pair."""
        from coequal.analysis.across_datasets import study_summary
        from coequal.reporting.verdict_json import verdict_values

        values = verdict_values(study_summary(self._summaries, self._folder.study()))
        found = {one["data"]: one for one in values["data_sets"]}
        sentences = [f"{name}: {one['sentence']}" for name, one in found.items()]
        alone = next(iter(found.values()))["sentence"] if len(found) == 1 else " ".join(sentences)
        return Verdict(
            sentence=values["over_data_sets"]["sentence"] or alone,
            pairs=_of_all(found, "pairs"),
            models=_of_all(found, "models"),
            datasets=found,
        )

    @cached_property
    def figures(self) -> "Figures":
        """The figures of the report by name; a notebook shows each of them."""
        from coequal.reporting.shown_figures import Figures

        return Figures(self._folder, self._summaries)

    @property
    def health(self) -> "Diagnosis":
        """The health of each training run by the rules of this version: what `diagnose` gives.

        If the run has one trial, this is its verdict, with evidence and remedies; otherwise it is
        a list of these under "trials".
        """
        return self.diagnose()

    def diagnose(self, model: str | None = None, trial: str | None = None) -> "Diagnosis":
        """The health of the run's trials.

        Args:
            model: diagnose this model's only trial, or the trial of its best setting by validation;
                None: all trials.
            trial: the beginning of a trial's id; diagnose this trial alone.

        Returns:
            What `coequal.diagnose` gives.

        Raises:
            LookupError: there is no such model or trial.
            ValueError: the only trial asked for can't be diagnosed.
        """
        from coequal.inspection.diagnosis import diagnose

        return diagnose(self._folder.path, model=model, trial=trial)

    def report(self, into: str | Path | None = None) -> Path:
        """Write the report.

        Args:
            into: folder to write; None: `report` in the run's folder, or `NAME_report` beside a
                pack.

        Returns:
            The path of its page, index.html.

        Raises:
            FileExistsError: `into` holds something other than a report.
        """
        from coequal.reporting.page import report_place, write_summaries

        place = report_place(self._folder, None if into is None else Path(into).resolve())
        return write_summaries(self._folder, self._summaries, place)

    def sample(
        self,
        model: str | None = None,
        *,
        trial: str | None = None,
        count: int = 64,
        per_class: int | None = None,
        of_class: str | None = None,
        like_data: bool = False,
        seed: int = 0,
        device: str = AUTO,
    ) -> Samples:
        """Images of a trained generator, at the checkpoint where the study judges it.

        Args:
            model: a model, at its best setting by validation; may be left out if the run has only
                one model.
            trial: the beginning of a trial's id, instead of a model.
            count: number of images.
            per_class: number of images of each class, instead of `count`.
            of_class: a class by name or number, for images of this class alone.
            like_data: whether to draw classes as often as they occur in the data; by default, all
                in turn.
            seed: random seed; the same seed gives the same images every time.
            device: where the generator computes: "cpu", "cuda"; "auto": an NVIDIA GPU if there is
                one, else the CPU.

        Returns:
            The images, which a notebook shows.

        Raises:
            LookupError: there is no such model, trial or class.
            FileNotFoundError: the trial left no weights.
            ValueError: classes are asked for, but the generator takes none; or the run is a pack
                with source code that has not been allowed to run.
        """
        from coequal.inspection.samples import SampleRequest, chosen_trial, sample
        from coequal.results.own_code import refuse_code

        refuse_code(self._folder)
        chosen = chosen_trial(self._folder, model, trial)
        request = SampleRequest(count, per_class, of_class, like_data)
        with computing_on(device) as where:
            found = sample(self._folder, chosen, request, seed, where)
        labels = None if found.labels is None else found.labels.numpy()
        return Samples(found.images.numpy(), labels, found.classes)

    @cached_property
    def _summaries(self) -> "list[DataSummary]":
        from coequal.analysis.summary import summarise

        return summarise(self._folder, results=self.trials)

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        from coequal.reporting.terminal import verdict_lines

        columns = shutil.get_terminal_size().columns
        said = self._of_one_training or verdict_lines(self._summaries, columns)
        lines = [self._title, str(self.path), "", *said]
        return "\n".join(textwrap.fill(s, columns) if len(s) > columns else s for s in lines)

    def _repr_html_(self) -> str:
        from coequal.reporting.notebook import run_fragment

        return run_fragment(self._folder, self._summaries, self._title, self._of_one_training)

    @cached_property
    def _of_one_training(self) -> list[str]:
        """What the page of a single training run says first; empty for a study that compares
        models."""
        from coequal.reporting.trial_page.page import read_run

        plan = self._folder.plan()
        budget = self._folder.study().get("training", {}).get("budget", {})
        if len(plan) != 1 or "discriminator_steps" not in budget:
            return []
        report = read_run(self._folder, plan[0], self._folder.rule().metric, None)
        return [text for text in (report.headline, report.summary) if text]

    @property
    def _title(self) -> str:
        planned = len(self._folder.planned())
        name = self._folder.study()["study"]
        return f"Run of '{name}': {len(self.trials)} of {planned} trials have a result"


def load(path: str | Path) -> Run:
    """Open a run, finished or not.

    Args:
        path: the folder of a run, or its pack.

    Returns:
        The run. A pack stays unpacked in a temporary folder for as long as the run is used.

    Raises:
        FileNotFoundError: there is no such folder, or it holds no study.
        ValueError: the pack is damaged or unsafe.

    Examples:
        >>> import coequal as cq
        >>> run = cq.load("runs/smoke")  # doctest: +SKIP
        >>> run.verdict                  # doctest: +SKIP
    """
    with ExitStack() as stack:
        run = Run(stack.enter_context(opened(Path(path).expanduser().resolve())))
        finalize(run, stack.pop_all().close)
    return run


def _of_all(found: Mapping[str, Any], kind: str) -> tuple[Mapping[str, Any], ...]:
    return tuple({"data": name, **row} for name, one in found.items() for row in one[kind])
