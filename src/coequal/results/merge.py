"""Runs of one protocol joined into one folder: contenders trained at different places, one report.

What may differ is who competed (`models`) and what the study is called (`study`, `question`). Of a
trial that several runs have, the result of the run named first is kept, and those of the others are
compared with it: merged.json says how well they agree. The sources are only read.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from coequal.files import atomic_write, write_json
from coequal.records import MetricInfo, Trial
from coequal.results.encoder_files import ENCODERS
from coequal.results.folder import RunFolder
from coequal.results.merged_file import (
    MERGED,
    RULE,
    Merged,
    merged_text,
)
from coequal.results.overlap import chosen_homes, joined_runs, names_of
from coequal.results.own_code import CODE, add_code, code_files, code_sets
from coequal.results.references import differences, differences_of
from coequal.results.results_csv import write_tables
from coequal.results.study_file import compared_pairs

_FREE = ("study", "question", "models")


def merge(sources: Sequence[RunFolder], into: RunFolder) -> Merged:
    """Join two or more runs into a new one, which is there whole (tables too) or not at all.

    The joined study has every model of the runs, in the order in which they first appear; it can be
    reported, and gone on with, like any other.

    Args:
        sources: runs of the same protocol that nobody works in; packs that are opened, too.
        into: a folder that is empty or does not exist.

    Returns:
        What came from which run, and how well those agree that trained the same trials.

    Raises:
        FileNotFoundError: a folder holds no study.
        FileExistsError: the target is not empty, or lies in a source.
        BlockingIOError: a source is being written to.
        ValueError: the protocols differ; the message has each differing field with both values.
    """
    _refuse_places([source.place for source in sources], into.path)
    for source in sources:
        source.study()  # refuses what holds none, before anything is compared
        if source.busy():
            raise BlockingIOError(
                f"{source.place} is in use by another process; wait until it ends"
            )
    study = _joined_study(sources)
    looks, comparisons = _joined_looks(sources), [source.comparisons() for source in sources]
    references = _joined_references(sources)
    metrics = _joined_metrics(sources)
    _refuse_protocols(sources)
    names = names_of(sources)
    homes, shared = chosen_homes(sources, names)
    into.path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system.
    with _draft_beside(into.path) as name:
        made = RunFolder(Path(name) / "run")
        source_text, plan = _source_text(study, sources, names), _plan(sources, study)
        pairs = max(compared_pairs(study), *comparisons)
        made.begin(source_text, study, plan, metrics, looks, pairs)
        write_json(made.path / "references.json", references)
        for source in sources:
            _copy_samples(source, made)
        for trial_id, home in homes.items():
            kept = made.trial_folder(trial_id)
            shutil.copytree(home.trial_folder(trial_id), kept, ignore=shutil.ignore_patterns(".*"))
        other_source = sorted(set().union(*(_add_code(source, made) for source in sources)))
        merged = Merged(RULE, joined_runs(sources, names, homes), shared, tuple(other_source))
        atomic_write(made.path / MERGED, merged_text(merged))
        write_tables(made)
        made.path.rename(into.path)
    return merged


def _draft_beside(target: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error  # what the user named


def _refuse_places(sources: Sequence[Path], into: Path) -> None:
    places = [path.resolve() for path in sources]
    if len(places) < 2:
        raise ValueError("name at least two runs")
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise ValueError(f"given twice: {', '.join(twice)}")
    inside = [path for path in places if into.resolve().is_relative_to(path)]
    if inside:
        raise FileExistsError(
            f"{into} lies inside {inside[0]}, which must not change; name another folder"
        )
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


def _source_text(
    study: Mapping[str, Any], sources: Sequence[RunFolder], names: Sequence[str]
) -> str:
    """A study file of the joined study; JSON is YAML."""
    lines = [
        f"#   {name}: {source.study()['study']}\n"
        for name, source in zip(names, sources, strict=True)
    ]
    text = json.dumps(study, indent=1, ensure_ascii=False)
    return f"# Joined by `coequal merge` from the runs\n{''.join(lines)}{text}\n"


def _plan(sources: Sequence[RunFolder], study: Mapping[str, Any]) -> list[Trial]:
    """Every trial of the runs once: the search before re-runs, then by dataset, re-run, setting
    and model, so that all models have had about as many however far one looks."""
    models = [model["name"] for model in study["models"]]
    trials = {trial.id: trial for source in sources for trial in source.plan()}

    def place(trial: Trial) -> tuple[bool, int, int, int, int, str]:
        data, model = list(study["data"]).index(trial.data), models.index(trial.model)
        return (trial.repeat > 0, data, trial.repeat, trial.setting, model, trial.id)

    return sorted(trials.values(), key=place)


# ------------------------------------------------------------------------------------- the results


def _add_code(source: RunFolder, made: RunFolder) -> set[str]:
    """Keep the source of outside parts of a run, too.

    Returns:
        The parts of which an earlier run has different source.
    """
    different: set[str] = set()
    content = code_files(source)
    for number, each in enumerate(code_sets(source), 1):
        texts = {name: content[source.path / CODE / str(number) / name] for name in each.files}
        known = code_sets(made)
        if any(each.files == other.files and each.parts == other.parts for other in known):
            continue
        if add_code(made, each.parts, texts, not_kept=each.not_kept):
            different |= {part for other in known for part in other.parts} & set(each.parts)
    return different


def _refuse_protocols(sources: Sequence[RunFolder]) -> None:
    """Refuse runs that measured one thing in two ways.

    Raises:
        ValueError: naming metric, dataset, split, and the fields of the protocol that differ.
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
    """What the instrument was calibrated on, by dataset.

    Raises:
        ValueError: two runs have different instruments for one dataset.
    """
    joined: dict[str, Any] = {}
    home: dict[str, RunFolder] = {}
    for source in sources:
        for data, reference in source.references().items():
            if data not in joined:
                joined[data], home[data] = reference, source
                continue
            problems = [f"{data}.{line}" for line in differences_of(joined[data], reference)]
            remedy = _remedy(joined[data], reference, home[data])
            _refuse(problems, home[data], source, remedy)
    return joined


def _remedy(one: Mapping[str, Any], other: Mapping[str, Any], first: RunFolder) -> str:
    """What would make two instruments one, where the images are the same."""
    if not one.get("fingerprint") == other.get("fingerprint") is not None:
        return ""
    if one.get("encoder") == other.get("encoder"):
        return (
            "\nImages and encoder are the same, but the measurements differ: by the "
            "version of coequal, or by settings of metrics. Run one study again with "
            "the version of the other (`environment` in its results)"
        )
    return (
        "\nThe images are the same but the encoders differ, and numbers of two "
        "encoders can't be compared. Train the second study again in a new folder "
        "with the encoder of the first: `coequal run STUDY --out NEW --reuse "
        f"{first.place}`"
    )


def _refuse(problems: Sequence[str], one: RunFolder, other: RunFolder, remedy: str = "") -> None:
    if problems:
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise ValueError(
            f"{one.place} and {other.place} have different protocols and can't be "
            f"joined:{listing}{remedy}"
        )
