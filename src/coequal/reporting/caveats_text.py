"""What a reader must know before using the numbers, and where they come from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.source import Facts
from coequal.analysis.transfer import Transferred
from coequal.formatting import duration, listed, number
from coequal.reporting.methods_text import planned_seeds


def protocols(summary: DataSummary) -> list[tuple[str, str]]:
    """How metrics were measured, as the records say it: every protocol once, after the metrics and
    splits that it holds for."""
    found: dict[str, dict[str, list[str]]] = {}
    for metric, splits in summary.protocols.items():
        label = summary.metrics[metric].label if metric in summary.metrics else metric
        for split, text in sorted(splits.items()):
            found.setdefault(text, {}).setdefault(label, []).append(split)
    return [(_held_for(by_metric), text) for text, by_metric in found.items()]


def _held_for(by_metric: Mapping[str, Sequence[str]]) -> str:
    """Metrics with the splits of each: "FD and recall on test; F1 on test and validation"."""
    metrics: dict[tuple[str, ...], list[str]] = {}
    for metric, splits in by_metric.items():
        metrics.setdefault(tuple(splits), []).append(metric)
    return "; ".join(f"{listed(names)} on {listed(splits)}" for splits, names in metrics.items())


def caveats(summary: DataSummary, study: Mapping[str, Any]) -> list[str]:
    """What a reader must know before using the numbers, and every fallback that was taken."""
    sentences = []
    if not summary.finished:
        sentences.append(
            "The study is not finished: every number on this page can still change, and intervals "
            "of curves and rates are those of a search whose size was fixed before, not of one "
            "that is looked at while it runs."
        )
    reason = (study.get("search") or {}).get("reason")
    if reason:
        sentences.append(f"Ranges changed by the study: {reason}")
    if summary.cap is None:
        declared_cap = (summary.reference.get("cap") or {}).get(summary.metric.name)
        why = "No cap was declared"
        if declared_cap is not None:
            why = (
                f"Uniform noise scores {number(declared_cap)}, no worse than held-out real images "
                f"with {number(summary.floor)}, so it cannot stand for a failure, and there is no "
                "other value that could"
            )
        sentences.append(f"{why}, so models with failures have no mean and no budget curve.")
    sentences.append(
        f"{summary.metric.label} depends on the encoder, the number of images and the split: "
        "these values are comparable with each other, not with those of another protocol or "
        "paper."
    )
    verdict = summary.verdict
    if not planned_seeds(study, "reruns"):
        again = verdict is not None and verdict.rules.retrained_share
        sentences.append(
            "Two seeds of the best settings, one of the others: enough for the verdict to be about "
            "fresh seeds, too few for the variation between seeds of one setting."
            if again
            else "One seed per setting: the variation between training seeds is not measured."
        )
    if verdict is not None:
        sentences.append(
            "Encoder and split of the data are the same in every run, and in no interval: other "
            "ones may give another verdict."
        )
    sentences += _of_joined_runs(summary)
    sentences += [str(note) for note in summary.reference.get("notes", ())]
    counts = sorted(summary.facts.notes.get(summary.data, Counter()).items())
    sentences += [f"{note} ({count} trials)" for note, count in counts]
    return sentences


def _of_joined_runs(summary: DataSummary) -> list[str]:
    """From which runs the study was joined, and how well they agree."""
    merged = summary.facts.merged
    if merged is None:
        return []
    names = ", ".join(run.name for run in merged.runs)
    counts = Counter(trial.verdict for trial in merged.shared if trial.data == summary.data)
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    text = f"Joined from the runs {names}. "
    if found:
        text += f"Of {counts.total()} trials that two of them trained, the results are: {found}."
    else:
        text += "No trial was trained in two of them, so that nothing tells how well they agree."
    if merged.other_source:
        text += f" They had different source of {', '.join(merged.other_source)}."
    return [text]


def provenance(facts: Facts, study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Versions, machines, seeds and what it all cost."""
    rows = [(name, "; ".join(sorted(seen))) for name, seen in sorted(facts.environment.items())]
    return [
        ("study seed", str(study.get("seed", "–"))),
        (
            "runs of a setting",
            f"the search's own, and up to {facts.repeats} with fresh seeds"
            if facts.repeats
            else "one, the search's own",
        ),
        ("trials with results", str(facts.results)),
        ("training time, all trials", duration(facts.seconds, decimals=1)),
        ("FLOPs, all trials", f"{facts.flops:.3g}"),
        *rows,
    ]


def transfer_progress(moved: Mapping[str, Sequence[Transferred]]) -> str:
    """What is missing of the transfer between datasets; empty if nothing is."""
    pairs = [t for listed in moved.values() for t in listed if t.source != t.target]
    planned = sum(t.planned for t in pairs if t.setting is not None)
    ended = sum(len(t.runs) for t in pairs)
    if ended >= planned:
        return ""
    return f"Transfer: {ended} of {planned} runs have results."
