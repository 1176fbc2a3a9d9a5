"""What a reader must know before using the numbers, and where they come from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.source import Facts
from coequal.analysis.transfer import Transferred
from coequal.formatting import capital, duration, listed, number
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
            "The study is not finished: every number on this page can still change, and the "
            "intervals of curves and rates assume a search of fixed size, not one that is "
            "inspected while it runs."
        )
    reason = (study.get("search") or {}).get("reason")
    if reason:
        sentences.append(f"The study changed ranges: {reason}")
    if summary.cap is None:
        declared_cap = (summary.reference.get("cap") or {}).get(summary.metric.name)
        why = "No cap was declared"
        if declared_cap is not None:
            why = (
                f"Uniform noise scores {number(declared_cap)}, no worse than held-out real images "
                f"({number(summary.floor)}), so it cannot stand for a failure, and no other value "
                "can"
            )
        sentences.append(f"{why}; models with failures therefore have no mean and no budget curve.")
    sentences.append(
        f"{capital(summary.metric.label)} depends on the encoder, the number of images and the "
        "split: these values can be compared with each other, but not with those of another "
        "protocol or paper."
    )
    verdict = summary.verdict
    if not planned_seeds(study, "reruns"):
        again = verdict is not None and verdict.rules.retrained_share
        sentences.append(
            "The best settings have two seeds and the others one: enough for a verdict about fresh "
            "seeds, too few to measure the variation between seeds of one setting."
            if again
            else "One seed per setting: the variation between training seeds is not measured."
        )
    if verdict is not None:
        sentences.append(
            "All runs share one encoder and one data split. No interval covers this choice: "
            "another encoder or split may give another verdict."
        )
    sentences += _of_joined_runs(summary)
    sentences += [_sentence(str(note)) for note in summary.reference.get("notes", ())]
    counts = sorted(summary.facts.notes.get(summary.data, Counter()).items())
    sentences += [f"{note} ({count} trials)" for note, count in counts]
    return sentences


def _sentence(note: str) -> str:
    """A note that was recorded while data were prepared, as a sentence."""
    return capital(note if note.endswith((".", "!", "?")) else f"{note}.")


def _of_joined_runs(summary: DataSummary) -> list[str]:
    """From which runs the study was joined, and how well they agree."""
    merged = summary.facts.merged
    if merged is None:
        return []
    names = ", ".join(run.name for run in merged.runs)
    counts = Counter(trial.verdict for trial in merged.shared if trial.data == summary.data)
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    text = f"Merged from the runs {names}. "
    if found:
        text += f"{counts.total()} trials were trained in two of them, with these results: {found}."
    else:
        text += "No trial was trained in two of them, so nothing shows how well they agree."
    if merged.other_source:
        text += f" Their source code differs in {', '.join(merged.other_source)}."
    return [text]


def provenance(facts: Facts, study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Versions, machines, seeds and what it all cost."""
    rows = [(name, "; ".join(sorted(seen))) for name, seen in sorted(facts.environment.items())]
    return [
        ("study seed", str(study.get("seed", "–"))),
        (
            "runs per setting",
            f"one in the search, and up to {facts.repeats} with fresh seeds"
            if facts.repeats
            else "one, in the search",
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
