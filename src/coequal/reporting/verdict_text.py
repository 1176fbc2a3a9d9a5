"""What the numbers say: the verdict in plain words, and what an unfinished study lacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from coequal.analysis.across_datasets import joint_pairs
from coequal.analysis.data_summary import DataSummary
from coequal.formatting import capital, count, count_in_words, listed, p_value
from coequal.reporting.growth_text import changed_questions
from coequal.reporting.pair_sentences import be, settings_each, verdict_in_words, worse_than
from coequal.reporting.rerun_text import effect_sentence, seeds_text, tuned_sentence
from coequal.results.stopped import never_finished
from coequal.statistics.verdict import Verdict

MAX_LETTERS = 240
"""A longer verdict is folded on the first screen, where a shorter one stands."""
MAX_NAMES = 6
"""A longer list of models is given as a number there."""


@dataclass(frozen=True)
class Answer:
    """One answer to the study's question.

    Attributes:
        title: what is compared, in a word or two; empty where there is one answer alone.
        about: what that means.
        text: the answer in one sentence.
    """

    title: str
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.title} ({self.about}): {self.text}" if self.title else self.text


def answers(summary: DataSummary) -> list[Answer]:
    """What is known of the models as methods, by their searches, and of the settings that these
    have chosen, by their re-runs: one answer or two.

    Args:
        summary: of the dataset.
    """
    methods = Answer("As methods", _as_methods(summary), short_verdict(summary))
    tuned = tuned_sentence(summary)
    verdict = summary.verdict
    if not tuned and verdict is not None and verdict.could_separate and verdict.pairs:
        tuned = effect_sentence(summary)
    if not tuned:
        return [Answer("", "", methods.text)]
    return [
        methods,
        Answer("As tuned", f"the setting that each search chose, {seeds_text(summary)}", tuned),
    ]


def short_verdict(summary: DataSummary) -> str:
    """The verdict, or how many models were beaten where a sentence on every pair is too long.

    Args:
        summary: of the dataset.
    """
    text, verdict = verdict_sentence(summary), summary.verdict
    if len(text) <= MAX_LETTERS or verdict is None or not verdict.beaten:
        return text
    best, beaten = verdict.unbeaten, len(verdict.beaten)
    names = listed([summary.title(name) for name in best])
    few = names if len(best) <= MAX_NAMES else f"{count_in_words(len(best))} models"
    start = f"{few} {be(best)} not shown to be worse than any other; "
    each = "the other model is" if beaten == 1 else f"each of the other {count_in_words(beaten)} is"
    text = f"{start}{each} worse than at least one."
    return _start(text, best, summary) if verdict.finished else f"So far: {text}"


def _start(text: str, names: Sequence[str], summary: DataSummary) -> str:
    """Text with a capital, unless it begins with the title of a model."""
    return text if any(text.startswith(summary.title(name)) for name in names) else capital(text)


def _as_methods(summary: DataSummary) -> str:
    verdict = summary.verdict
    if verdict is None or not verdict.pairs:
        return "random settings of each"
    if verdict.budget == 1:
        return "one random setting of each"
    return f"the best of {verdict.budget} random settings of each"


def progress(summary: DataSummary) -> str:
    """What is missing from an unfinished study; empty if nothing is."""
    parts = []
    if summary.ended < summary.planned:
        waiting = [m for m in summary.models if len(m.tried) < m.planned]
        missing = listed([f"{m.title} {len(m.tried)} of {m.planned}" for m in waiting])
        text = f"{summary.ended} of {summary.planned} trials of the search have results"
        parts.append(f"{text}. Incomplete: {missing}.")
    phase = summary.rerun_phase
    if phase and phase.missing:
        text = f"{phase.ended} of {phase.planned} re-runs have results"
        early = summary.ended < summary.planned
        parts.append(f"{text}{' (they are chosen once the search has ended)' if early else ''}.")
    return " ".join(parts)


def never_finished_sentences(summaries: Sequence[DataSummary]) -> list[str]:
    """Which models never ran, and which never finished a trial, with the reason of each; empty
    where every model that was tried has finished one."""
    stopped = summaries[0].facts.stopped if summaries else ()
    halted = {entry.model for entry in stopped}
    failures: dict[str, str] = {}
    finished: set[str] = set()
    for model in (model for summary in summaries for model in summary.models):
        again = (run for runs in model.fresh_seeds.values() for run in runs if run.has_result)
        for run in (*model.tried, *again):
            if run.failed:
                failures.setdefault(model.name, f"{run.status}, {run.reason}")
            else:
                finished.add(model.name)
    found = {m: text for m, text in failures.items() if m not in finished | halted}
    models = len(summaries[0].models) if summaries else 0
    return never_finished(models, stopped, found)


def verdict_sentence(summary: DataSummary) -> str:
    """The verdict for humans, in one sentence or two."""
    verdict, with_results = summary.verdict, [model for model in summary.models if model.tried]
    if not with_results:
        return "There are no results yet."
    if len(with_results) == 1:
        return f"Only {with_results[0].title} has results, so there is nothing to compare it with."
    if summary.finished and all(trial.failed for m in with_results for trial in m.tried):
        return "Every trial failed, so there is nothing to compare."
    if verdict is None or not verdict.pairs:
        return effect_sentence(summary) or (
            "Models are not ranked: only the authors' settings were trained, but methods are "
            "compared by random settings."
        )
    if any(pair.decided for pair in verdict.pairs):
        return verdict_in_words(verdict, summary.title)
    if not verdict.looks_done:
        first = count(verdict.rules.looks[0].settings, "setting")
        return f"Nothing is decided before the first look, at {first} of each model."
    if not verdict.could_separate:
        return effect_sentence(summary) or _too_few(verdict)
    return verdict_in_words(verdict, summary.title)


def verdict_note(summary: DataSummary) -> str:
    """What must be said beside the verdict: that the question was changed after a look; empty where
    it was not."""
    return next(iter(changed_questions(summary)), "")


def joint_sentence(summaries: Sequence[DataSummary]) -> str:
    """What holds over all datasets together; empty for a study with one, or one that is not
    finished."""
    joint = joint_pairs(summaries)
    if not joint:
        return ""
    over = f"over the {count_in_words(len(summaries))} datasets"
    sure = f"at 95 %, jointly over {count(len(joint), 'pair')}"
    losses = [(p.a, p.b) if p.probability > 0.5 else (p.b, p.a) for p in joint if p.shown]
    if not losses:
        return f"No two models can be told apart {over} ({sure})."
    names = list(dict.fromkeys(name for pair in joint for name in (pair.a, pair.b)))
    clauses = "; ".join(worse_than(losses, names, summaries[0].title))
    rest = "" if all(pair.shown for pair in joint) else "; no other pair can be told apart"
    return f"{capital(over)}, {clauses}{rest} ({sure})."


def _too_few(verdict: Verdict) -> str:
    return (
        f"No ranking is possible: with {settings_each(verdict)}, the smallest attainable p-value "
        f"is {p_value(verdict.least_p)}; comparing {count(len(verdict.order), 'model')} requires "
        f"{p_value(verdict.threshold)}."
    )
