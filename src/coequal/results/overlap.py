"""Which run each result of a joined folder comes from, and how well the others agree with it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from coequal.records import Result
from coequal.results.compare_results import compare
from coequal.results.folder import RunFolder
from coequal.results.merged_file import JoinedRun, SharedTrial, read_merged


def names_of(sources: Sequence[RunFolder]) -> list[str]:
    """What runs are called: by their folders or packs, numbered where two have one name.

    Args:
        sources: the runs.
    """
    stems = [source.path.name for source in sources]  # a pack is unpacked into one of its name
    known = Counter[str]()
    names = []
    for stem in stems:
        known[stem] += 1
        names.append(f"{stem} ({known[stem]})" if stems.count(stem) > 1 else stem)
    return names


def chosen_homes(
    sources: Sequence[RunFolder], names: Sequence[str]
) -> tuple[dict[str, RunFolder], tuple[SharedTrial, ...]]:
    """Choose the run of which the folder of a trial is taken: the first with a result, if any has.

    Args:
        sources: the runs, in the order in which they were named.
        names: what they are called.

    Returns:
        The runs by trial id; and how the results of later runs compare with the one that is kept,
        with what runs that were joined themselves say of theirs.
    """
    homes: dict[str, RunFolder] = {}
    kept: dict[str, tuple[str, Result]] = {}
    shared: list[SharedTrial] = []
    for source, name in zip(sources, names, strict=True):
        earlier = read_merged(source.path)
        shared += earlier.shared if earlier else ()
        for trial in source.plan():
            result = source.result(trial.id)
            if result is None:
                if source.trial_folder(trial.id).exists():
                    homes.setdefault(trial.id, source)
            elif trial.id not in kept:
                kept[trial.id], homes[trial.id] = (name, result), source
            else:
                shared.append(_shared(kept[trial.id], (name, result)))
    return homes, tuple(shared)


def _shared(kept: tuple[str, Result], other: tuple[str, Result]) -> SharedTrial:
    trial, agreement = kept[1].trial, compare(kept[1], other[1])
    return SharedTrial(
        trial.id,
        trial.model,
        trial.data,
        trial.setting,
        trial.repeat,
        kept[0],
        other[0],
        agreement.verdict,
        agreement.as_dict(),
    )


def joined_runs(
    sources: Sequence[RunFolder], names: Sequence[str], homes: Mapping[str, RunFolder]
) -> tuple[JoinedRun, ...]:
    """Count what came from each run.

    Args:
        sources: the runs.
        names: what they are called.
        homes: by trial id, the run of which its folder is taken.
    """
    return tuple(
        JoinedRun(
            name,
            source.study()["study"],
            len(results := source.results()),
            sum(homes[trial_id] is source for trial_id in results),
        )
        for name, source in zip(names, sources, strict=True)
    )
