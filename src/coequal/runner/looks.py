"""What is said of a study's looks while it runs, and of what it saved at its end."""

from collections.abc import Iterator

from coequal.study.plan import SearchPlan, StudyPlan
from coequal.study.spec import Study


def look_news(search: SearchPlan, before: int) -> Iterator[str]:
    """A line for each look that has been taken.

    Args:
        search: of one dataset.
        before: how many looks had been taken earlier.
    """
    verdict = search.verdict
    if verdict is None:
        return
    looks = verdict.rules.looks
    for index in range(before, verdict.looks_done):
        new = [pair for pair in verdict.pairs if pair.look == index and pair.decided]
        decided = sum(p.decided and p.look is not None and p.look <= index for p in verdict.pairs)
        winners: dict[str, list[str]] = {}
        for pair in new:
            if pair.loser and pair.winner:
                winners.setdefault(pair.loser, []).append(pair.winner)
        worse = [f"{loser} is worse than {', '.join(names)}" for loser, names in winners.items()]
        equal = [f"{p.a} and {p.b} are equivalent" for p in new if p.outcome == "equivalent"]
        text = "; ".join([*worse, *equal]) or "nothing new is decided"
        yield (
            f"look {index + 1} of {len(looks)} on {search.data}, at {looks[index].settings} "
            f"settings: {text} ({decided} of {len(verdict.pairs)} pairs decided)"
        )
    if before < verdict.looks_done and search.stopped:
        yield f"no further settings on {search.data} for {', '.join(search.stopped)}"


def saved_and_open(study: Study, planned: StudyPlan) -> Iterator[str]:
    """What the looks saved, and which pairs could still be decided by settings that the study names
    and has not asked for.

    Args:
        study: whose `search.settings` have been reached.
        planned: its plan.
    """
    most, later = study.search.settings, max(study.search.looks, default=0)
    for search in planned.searches:
        if search.stopped:
            saved = sum(most - settings for settings in search.stopped.values())
            models = ", ".join(f"{name} at {at}" for name, at in search.stopped.items())
            yield (
                f"saved on {search.data}: {saved} of {most * len(study.models)} settings, as "
                f"models with nothing left to decide train no further ({models})"
            )
        verdict = search.verdict
        if verdict is not None and most < later and verdict.training:
            undecided = sum(not pair.decided for pair in verdict.pairs)
            yield (
                f"{undecided} of {len(verdict.pairs)} pairs on {search.data} are "
                f"undecided at {most} settings; --until-decided adds settings, up to "
                f"{later}"
            )


def shard_end(planned: StudyPlan, out: str) -> Iterator[str]:
    """What is left to do when a shard has run its trials.

    Args:
        planned: as far as the results of all shards allow by now.
        out: the run's folder, for a command.
    """
    if planned.most > len(planned.trials):
        yield (
            "this shard has run all of its trials that are known so far. When all "
            "shards have ended, run each of them again: the next trials (a look, "
            "fresh seeds) depend on all results"
        )
    yield f"this shard is done; after the others: coequal collect {out}"
