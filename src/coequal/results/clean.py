"""`coequal clean`: what a run's folder can do without, and its report as well."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coequal.records import Result, Trial
from coequal.results.collect import usable_results
from coequal.results.encoder_files import ENCODERS
from coequal.results.folder import RunFolder
from coequal.results.instrument_file import INSTRUMENT
from coequal.results.lock import lock
from coequal.results.on_disk import trial_folders
from coequal.results.result_file import MEASURED
from coequal.results.states import STATES
from coequal.selection import SelectionRule

_LEFT_OVER = (MEASURED, "progress.json", "progress.new", "checkpoint")
"""What a trial needs until it has a result."""

_DRAFTS = (
    *("result.json", "trial.json", "curves.npz", "generator.safetensors", MEASURED),
    *("frames.npz", "signals.npz", "health.json"),
    *(
        "checkpoint.",
        "step-",
        "study.json",
        "study.yaml",
        "versions.jsonl",
        "plan.json",
        "metrics.json",
    ),
    *("references.json", INSTRUMENT),
    *("results.csv", "timings.csv"),
)
"""Files are written under a hidden name that begins so, and then renamed."""


@dataclass(frozen=True)
class Removable:
    """Something that may go."""

    path: Path
    size: int  # bytes
    why: str


def clean(
    folder: RunFolder, *, really: bool = False, log: Callable[[str], None] = lambda line: None
) -> list[Removable]:
    """Name what the report does not need, and with `really` delete it.

    1. Of trials that have a result: checkpoints, and notes for going on.
    2. Drafts of files whose writer was killed.
    3. The states in which extendable trials ended, from which only a longer budget goes on.
    4. The generator's weights and samples of trials that nobody chose. Those of the authors'
       settings and of each model's best settings by the study's own rule (one, or as many as the
       study re-runs), with all their re-runs, stay; so does every trial of a model on a dataset
       whose search has not ended, or any of whose results can't be used.

    Results, losses and logs always stay: every table and every number of the report is the same
    after it. What goes can be made again only by training again: `coequal sample --trial` then
    works only for the trials that stay.

    Args:
        folder: of the run.
        really: delete; otherwise nothing is changed.
        log: is told what is wrong with which trial.

    Raises:
        BlockingIOError: somebody works in the folder; the message names it.
        FileNotFoundError, ValueError: the folder holds no study, or can't be read.
    """
    folder.study()
    with folder.lock():
        found = list(_removable(folder, log))
        if really:
            for each in found:
                if each.path.is_dir():
                    shutil.rmtree(each.path)
                else:
                    each.path.unlink()
    return found


def _removable(folder: RunFolder, log: Callable[[str], None]) -> Iterator[Removable]:
    yield from _drafts(folder.path)
    yield from _drafts(folder.path / "references", ".npy.")
    yield from _drafts(folder.path / ENCODERS, ".safetensors.")
    yield from _there(folder.path / STATES, "optimiser states, needed only to train longer")
    kept, ended = kept_and_ended(folder, log)
    for name in trial_folders(folder):
        trial = Path(name)
        with _idle(trial) as idle:
            if not idle:
                log(f"{trial} is in use by another process; it is left alone")
                continue
            yield from _drafts(trial)
            yield from _drafts(trial / "samples")
            yield from _drafts(trial / "generators")
            if trial.name not in ended:
                continue
            for left in [trial / name for name in _LEFT_OVER]:
                yield from _there(left, "left over from trials that have ended")
            for left in sorted(trial.glob("damaged-*")):
                yield from _there(left, "left over from trials that have ended")
            if trial.name not in kept:
                yield from _there(
                    trial / "generator.safetensors",
                    "weights and samples of trials that were not chosen",
                )
                yield from _there(
                    trial / "generators", "weights and samples of trials that were not chosen"
                )
                yield from _there(
                    trial / "samples", "weights and samples of trials that were not chosen"
                )


def kept_and_ended(folder: RunFolder, log: Callable[[str], None]) -> tuple[set[str], set[str]]:
    """The ids of trials whose weights and samples stay (see `clean`), and of all that have a
    result."""
    study = folder.study()
    rule = folder.rule()
    count = max(1, int((study.get("reruns") or {}).get("best", 1)))
    plan = folder.plan()
    usable, _ = usable_results(folder, log)
    planned = usable.of(trial.id for trial in plan)
    results = {key: rule.summary(result) for key, result in planned.items()}
    ended = set(usable)
    kept = {key for key in ended if key not in results}  # the plan may name them yet
    transferred = bool((study.get("transfer") or {}).get("seeds"))
    for group in _by_search(plan):
        kept |= _kept_of(group, results, rule, count, transferred)
    return kept, ended


def _by_search(plan: Iterable[Trial]) -> Iterable[list[Trial]]:
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in plan:
        groups.setdefault((trial.model, trial.data), []).append(trial)
    return groups.values()


def _kept_of(
    trials: list[Trial],
    results: dict[str, Result],
    rule: SelectionRule,
    count: int,
    transferred: bool,
) -> set[str]:
    """Of one model on one dataset, where other datasets' choices may have been `transferred`."""
    search = [trial for trial in trials if trial.repeat == 0]
    if any(trial.id not in results for trial in search):
        return {trial.id for trial in trials}
    best = rule.best_settings([results[trial.id] for trial in search], count)
    # Settings with fresh seeds were chosen: here, or for a transfer on another dataset. One fresh
    # seed alone has the best share of the search, too, which the verdict takes for its score.
    once = 0 if transferred else 1
    again = {trial.setting for trial in trials if trial.repeat > once}
    chosen = {0, *best, *again}
    return {trial.id for trial in trials if trial.setting in chosen}


def _drafts(place: Path, within: str = "") -> Iterator[Removable]:
    if not place.is_dir():
        return
    for entry in sorted(place.iterdir()):
        hidden = entry.name.lstrip(".")
        ours = within in hidden if within else hidden.startswith(_DRAFTS)
        if entry.name.startswith(".") and ours:
            yield from _there(entry, "drafts whose writer was killed")


def _there(path: Path, why: str) -> Iterator[Removable]:
    if path.is_dir() and not path.is_symlink():
        yield Removable(path, sum(_size(file) for file in path.rglob("*")), why)
    elif path.exists():
        yield Removable(path, _size(path), why)


def _size(path: Path) -> int:
    """Bytes on the disk, as `du` counts them; on Windows, which does not say, those of the file."""
    if path.is_dir():
        return 0
    status = path.lstat()
    return 512 * getattr(status, "st_blocks", -(-status.st_size // 512))


@contextmanager
def _idle(trial: Path) -> Iterator[bool]:
    """Whether no worker is in a trial: one may outlive its coordinator for a second."""
    try:
        file = (trial / ".lock").open()
    except (FileNotFoundError, NotADirectoryError):
        yield True
        return
    with file:
        try:
            lock(file)
            idle = True
        except BlockingIOError:
            idle = False
        yield idle
