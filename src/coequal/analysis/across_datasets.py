"""All datasets together: normalised scores, their interquartile mean and performance profile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.scores import Array, random_stream, test_costs
from coequal.analysis.transfer import Transferred, transfers
from coequal.statistics.aggregate import (
    Estimate,
    Profile,
    interquartile_mean,
    normalise,
    performance_profile,
)
from coequal.statistics.joint import JointPair, joint_pair
from coequal.statistics.looks import LEVEL
from coequal.statistics.search import Search

PROFILE_LEVELS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class NormalisedScores:
    """Normalised scores of every model over all datasets: 1 is the best possible score of a data
    set, 0 its cap or a failure.

    Attributes:
        kind: which runs: "re-runs of the chosen settings" or "all settings of the search".
        data: the names of the datasets.
        means: by model, the interquartile mean of the normalised scores.
        profiles: by model, its performance profile.
        refusal: why nothing can be normalised; empty if it can.
    """

    kind: str
    data: tuple[str, ...]
    means: Mapping[str, Estimate]
    profiles: Mapping[str, Profile]
    refusal: str


@dataclass(frozen=True)
class StudySummary:
    """All datasets of a study together.

    Attributes:
        datasets: the summary of each.
        transfers: by model, how each dataset's best setting does on every dataset.
        normalised: the models over all datasets; None for a study with one.
        joint: P(A better than B) over all datasets, for every pair that is compared on each; empty
            for a study with one dataset.
    """

    datasets: Sequence[DataSummary]
    transfers: Mapping[str, Sequence[Transferred]]
    normalised: NormalisedScores | None
    joint: tuple[JointPair, ...]


def study_summary(summaries: Sequence[DataSummary], study: Mapping[str, Any]) -> StudySummary:
    """What is computed over all datasets.

    Args:
        summaries: one for each dataset.
        study: with every default filled in.
    """
    return StudySummary(
        summaries,
        transfers(summaries, study),
        normalised_scores(summaries, study),
        joint_pairs(summaries),
    )


def joint_pairs(summaries: Sequence[DataSummary]) -> tuple[JointPair, ...]:
    """Compare the models over all datasets, once every planned look has been taken on each.

    Pairs are compared on the settings that both models have on every dataset, at the budget of the
    verdict, with Bonferroni's correction over the pairs.

    Args:
        summaries: one for each dataset.
    """
    contests = [summary.contest for summary in summaries if summary.contest]
    if len(summaries) < 2 or len(contests) < len(summaries):
        return ()
    if not all(contest.verdict.finished for contest in contests):
        return ()
    rules = contests[0].verdict.rules
    pairs = [(pair.a, pair.b) for pair in contests[0].verdict.pairs]
    level = LEVEL / max(1, rules.comparisons, len(pairs))
    joint = []
    for a, b in pairs:
        counts = [contest.verdict.settings[name] for contest in contests for name in (a, b)]
        fewest = min(counts)
        sides: list[tuple[Search, Search]] = []
        for contest in contests:
            looks = [look.settings for look in rules.looks if look.settings <= fewest]
            n, share = contest.verdict.budget, rules.retrained_share
            left, right = (
                contest.searches[name].search(min(n, fewest), looks, share, fewest)
                for name in (a, b)
            )
            sides.append((left, right))
        found = joint_pair(a, b, sides, level) if fewest >= 2 else None
        if found is not None:
            joint.append(found)
    return tuple(joint)


def normalised_scores(
    summaries: Sequence[DataSummary], study: Mapping[str, Any]
) -> NormalisedScores | None:
    """The models over all datasets; None for a study with one."""
    if len(summaries) < 2:
        return None
    names = tuple(summary.data for summary in summaries)
    without = [s.data for s in summaries if s.cap is None or s.bound is None]
    if without:
        text = "has no declared cap, or its metric no known best value"
        return NormalisedScores(
            "", names, {}, {}, f"{', '.join(without)} {text}: nothing to normalise by."
        )
    from_reruns = all(m.rerun and m.rerun.runs for s in summaries for m in s.models)
    kind = "re-runs of the chosen settings" if from_reruns else "all settings of the search"
    seed = int(study.get("seed", 0))
    means, profiles = {}, {}
    for model in summaries[0].models:
        scores = {s.data: _normalised(s, model.name, from_reruns) for s in summaries}
        if not all(len(found) for found in scores.values()):
            continue
        name = model.name
        means[name] = interquartile_mean(scores, rng=random_stream(seed, "overall", name))
        profiles[name] = performance_profile(scores, PROFILE_LEVELS)
    refusal = "" if means else "No model has results on every dataset yet."
    return NormalisedScores(kind, names, means, profiles, refusal)


def _normalised(summary: DataSummary, name: str, from_reruns: bool) -> Array:
    model = summary.model(name)
    trials = model.rerun.runs if from_reruns and model.rerun else model.ended
    assert summary.cap is not None
    assert summary.bound is not None
    return normalise(
        test_costs(trials, summary.metric),
        cap=summary.metric.cost(summary.cap),
        floor=summary.metric.cost(summary.bound),
    )
