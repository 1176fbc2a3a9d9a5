"""Runs of one protocol joined into one folder: contenders trained at different places, one report.

What may differ is who competed (`models`) and what the study is called (`study`, `question`). The
sources are only read.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from coequal.files import write_json
from coequal.records import MetricInfo, Result, Trial
from coequal.results.encoder_files import ENCODERS
from coequal.results.folder import RunFolder
from coequal.results.references import differences, differences_of
from coequal.results.results_csv import write_tables
from coequal.results.study_file import compared_pairs

_FREE = ("study", "question", "models")


def merge(sources: Sequence[RunFolder], into: RunFolder) -> None:
    """Join two or more runs into a new one, which is there whole (tables too) or not at all.

    The joined study has every model of the runs, in the order in which they first appear; it can be
    reported, and gone on with, like any other.

    Args:
        sources: runs of the same protocol that nobody works in.
        into: a folder that is empty or does not exist.

    Raises:
        FileNotFoundError: a folder holds no study.
        FileExistsError: the target is not empty, or lies in a source.
        BlockingIOError: a source is being written to.
        ValueError: the protocols differ, or one trial has two results; the message has each
            differing field with both values.
    """
    _refuse_places([source.path for source in sources], into.path)
    for source in sources:
        source.study()  # refuses what holds none, before anything is compared
        if source.busy():
            raise BlockingIOError(f"{source.path} is being worked in; wait for its end")
    study = _joined_study(sources)
    looks, comparisons = _joined_looks(sources), [source.comparisons() for source in sources]
    references = _joined_references(sources)
    metrics, homes = _joined_metrics(sources), _homes(sources)
    _refuse_protocols(sources)
    into.path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(dir=into.path.parent, prefix=f".{into.path.name}.") as name:
        made = RunFolder(Path(name) / "run")
        source_text, plan = _source_text(study, sources), _plan(sources, study)
        pairs = max(compared_pairs(study), *comparisons)
        made.begin(source_text, study, plan, metrics, looks, pairs)
        write_json(made.path / "references.json", references)
        for source in sources:
            _copy_samples(source, made)
        for trial_id, home in homes.items():
            kept = made.trial_folder(trial_id)
            shutil.copytree(home.trial_folder(trial_id), kept, ignore=shutil.ignore_patterns(".*"))
        write_tables(made)
        made.path.rename(into.path)


def _refuse_places(sources: Sequence[Path], into: Path) -> None:
    places = [path.resolve() for path in sources]
    if len(places) < 2:
        raise ValueError("give at least two runs to join")
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise ValueError(f"given twice: {', '.join(twice)}")
    inside = [path for path in places if into.resolve().is_relative_to(path)]
    if inside:
        raise FileExistsError(f"{into} lies in {inside[0]}, which is only read; name another")
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise FileExistsError(f"{into} is not empty; name a new folder")


# ---------------------------------------------------------------------------------------- the study


def _joined_study(sources: Sequence[RunFolder]) -> dict[str, Any]:
    """The first study with the models of all.

    Raises:
        ValueError: they differ elsewhere, or in a model that two of them have.
    """
    first = sources[0].study()
    models: dict[str, Any] = {model["name"]: model for model in first["models"]}
    names, questions = [first["study"]], [first.get("question", "")]
    for source in sources[1:]:
        other = source.study()
        problems = list(differences(_fixed(first), _fixed(other)))
        for model in other["models"]:
            known = models.setdefault(model["name"], model)
            problems += differences(known, model, f"models.{model['name']}.")
        _refuse(problems, sources[0], source)
        names.append(other["study"])
        questions.append(other.get("question", ""))
    return {
        **first,
        "study": " + ".join(dict.fromkeys(names)),
        "question": " ".join(dict.fromkeys(text for text in questions if text)),
        "models": list(models.values()),
    }


def _joined_looks(sources: Sequence[RunFolder]) -> tuple[tuple[int, float], ...]:
    """The looks of all runs.

    Raises:
        ValueError: they spend their error differently.
    """
    shown = [
        {"looks": ", ".join(f"{level:.3g} at {at} settings" for at, level in source.looks())}
        for source in sources
    ]
    for source, other in zip(sources[1:], shown[1:], strict=True):
        _refuse(list(differences(shown[0], other)), sources[0], source)
    return sources[0].looks()


def _joined_metrics(sources: Sequence[RunFolder]) -> dict[str, MetricInfo]:
    """What the metrics say of their numbers; only in wording may they differ.

    Raises:
        ValueError: two runs take a number to be good in different directions.
    """
    joined: dict[str, MetricInfo] = {}
    for source in sources:
        for name, info in source.metrics().items():
            known = joined.setdefault(name, info)
            first, other = ({"better": m.better, "target": m.target} for m in (known, info))
            _refuse(list(differences(first, other, f"metrics.{name}.")), sources[0], source)
    return joined


def _fixed(study: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in study.items() if key not in _FREE}


def _source_text(study: Mapping[str, Any], sources: Sequence[RunFolder]) -> str:
    """A study file of the joined study; JSON is YAML."""
    lines = [f"#   {source.path.name}: {source.study()['study']}\n" for source in sources]
    text = json.dumps(study, indent=1, ensure_ascii=False)
    return f"# Joined by `coequal merge` from the runs\n{''.join(lines)}{text}\n"


def _plan(sources: Sequence[RunFolder], study: Mapping[str, Any]) -> list[Trial]:
    """Every trial of the runs once: the search before re-runs, then by data set, re-run, setting
    and model, so that all models have had about as many however far one looks."""
    models = [model["name"] for model in study["models"]]
    trials = {trial.id: trial for source in sources for trial in source.plan()}

    def place(trial: Trial) -> tuple[bool, int, int, int, int, str]:
        data, model = list(study["data"]).index(trial.data), models.index(trial.model)
        return (trial.repeat > 0, data, trial.repeat, trial.setting, model, trial.id)

    return sorted(trials.values(), key=place)


# ------------------------------------------------------------------------------------- the results


def _homes(sources: Sequence[RunFolder]) -> dict[str, RunFolder]:
    """By trial id, the run whose folder of it is taken: one with a result if there is any.

    Raises:
        ValueError: two runs have different results for it.
    """
    homes: dict[str, RunFolder] = {}
    results: dict[str, Result] = {}
    for source in sources:
        for trial in source.plan():
            result = source.result(trial.id)
            if result is None:
                if source.trial_folder(trial.id).exists():
                    homes.setdefault(trial.id, source)
                continue
            known = results.get(trial.id)
            if known is not None and known != result:
                raise ValueError(
                    f"trial {trial.id} ({trial.model}, {trial.data}, setting {trial.setting}) has "
                    f"one result in {homes[trial.id].path} and another in {source.path}; delete "
                    "its folder in one of them"
                )
            results[trial.id], homes[trial.id] = result, source
    return homes


def _refuse_protocols(sources: Sequence[RunFolder]) -> None:
    """Refuse runs that measured one thing in two ways.

    Raises:
        ValueError: naming metric, data set, split, and the fields of the protocol that differ.
    """
    known: dict[str, tuple[dict[str, str], RunFolder]] = {}
    for source in sources:
        for place, protocol in _protocols(source):
            before, home = known.setdefault(place, (protocol, source))
            _refuse(list(differences(before, protocol, f"{place}: ")), home, source)


def _protocols(source: RunFolder) -> Iterator[tuple[str, dict[str, str]]]:
    """What each number of a run says of how it was measured: a place, and fields with values."""
    for result in source.results().values():
        for series in result.checkpoints.measured:
            words = [word.partition("=") for word in series.protocol.split()]
            place = f"{series.metric} of {result.trial.data}, {series.split} split"
            yield place, {field: value for field, _, value in words}


def _copy_samples(source: RunFolder, made: RunFolder) -> None:
    """Copy the real images that the report shows, and the weights of small encoders; those of the
    first run that has them stay."""
    for folder, pattern in (("references", "*.npy"), (ENCODERS, "*.safetensors")):
        for path in sorted((source.path / folder).glob(pattern)):
            target = made.path / folder / path.name
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, target)


# ---------------------------------------------------------------------------------- the references


def _joined_references(sources: Sequence[RunFolder]) -> dict[str, Any]:
    """What the instrument was calibrated on, by data set.

    Raises:
        ValueError: two runs have different instruments for one data set.
    """
    joined: dict[str, Any] = {}
    home: dict[str, RunFolder] = {}
    for source in sources:
        for data, reference in source.references().items():
            if data not in joined:
                joined[data], home[data] = reference, source
                continue
            problems = [f"{data}.{line}" for line in differences_of(joined[data], reference)]
            _refuse(problems, home[data], source)
    return joined


def _refuse(problems: Sequence[str], one: RunFolder, other: RunFolder) -> None:
    if problems:
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise ValueError(
            f"{one.path} and {other.path} are not of one protocol and can't be joined:{listing}"
        )
