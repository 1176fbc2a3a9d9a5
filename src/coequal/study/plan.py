"""The plan of a study: pure, without torch, clock or files."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coequal.ranges import Value, draw, searched
from coequal.records import Result, Trial
from coequal.seeds import seed_for
from coequal.selection import RunScore, SelectionRule, search_runs
from coequal.study.looks import default_rules
from coequal.study.model import Model
from coequal.study.spec import Study

if TYPE_CHECKING:
    from coequal.statistics.rules import Rules
    from coequal.statistics.verdict import Verdict


@dataclass
class SearchPlan:
    """The search on one dataset: what can be named of it by now, and what has come of it.

    Attributes:
        data: the dataset.
        trials: in the order in which they run.
        verdict: after the looks whose results are complete; None before the first of them, and
            where no models are compared.
        reached: the last setting that is named.
        ended: models of whose search every trial has a result, after the study's last look or
            because they train no further.
        stopped: settings of each model that trains no further before the study's last look.
    """

    data: str
    trials: list[Trial] = field(default_factory=list)
    verdict: "Verdict | None" = None
    reached: int = 0
    ended: set[str] = field(default_factory=set)
    stopped: dict[str, int] = field(default_factory=dict)

    @property
    def looks_done(self) -> int:
        """Number of looks that have been taken."""
        return 0 if self.verdict is None else self.verdict.looks_done


@dataclass(frozen=True)
class StudyPlan:
    """All trials of a study that can be named by now, and how far it is.

    Attributes:
        trials: in the order in which they run, each once.
        searches: one for each dataset.
        most: the number of trials that there will be at most.
    """

    trials: list[Trial]
    searches: tuple[SearchPlan, ...]
    most: int


def plan(
    study: Study,
    results: Mapping[str, Result] | None = None,
    rule: SelectionRule | None = None,
    rules: "Mapping[str, Rules] | None" = None,
) -> list[Trial]:
    """All trials of a study that can be named by now, in a fixed order and each once.

    Args:
        study: as its file says.
        results: by trial id; what else it holds does not matter.
        rule: by which the study chooses settings; None: only what depends on no result is named.
        rules: of the verdict, by dataset; None: those of the file, with no cap for failures.
    """
    return study_plan(study, results, rule, rules).trials


def study_plan(
    study: Study,
    results: Mapping[str, Result] | None = None,
    rule: SelectionRule | None = None,
    rules: "Mapping[str, Rules] | None" = None,
) -> StudyPlan:
    """Plan a study as far as its results allow.

    The search goes from look to look. Up to a look, every model that trains on has the same
    settings; as soon as its own have ended, its best share of them is trained once more with a
    fresh seed; when all models have that, the verdict says which of them train on. Re-runs (fresh
    seeds of the best settings) and transfers (the best setting of one dataset on the others) of a
    model are named as soon as its search on that dataset has ended. A trial that two phases ask
    for runs once.

    Args: as of `plan`.
    """
    known = results or {}
    if rule is not None and rules is None:
        rules = default_rules(study, rule)
    searches = tuple(
        _search(study, data, known, rule, (rules or {}).get(data)) for data in study.data
    )
    trials = [trial for search in searches for trial in search.trials]
    if rule is not None:
        chosen = _chosen(study, searches, known, rule)
        trials += [*_reruns(study, chosen), *_transfers(study, chosen)]
    named = list({trial.id: trial for trial in trials}.values())
    later = sum(_not_named(study, search) for search in searches)
    return StudyPlan(named, searches, len(named) + later)


def search_of(study: Study) -> list[Trial]:
    """Every setting of every model that the study may ever train, the authors' (0) and those drawn
    up to its last look: dataset, setting, model."""
    return [
        _trial(study, model, data, setting)
        for data in study.data
        for setting in range(max((study.search.settings, *study.search.looks)) + 1)
        for model in study.models
    ]


def most_trials(study: Study) -> dict[str, int]:
    """By phase, how many trials there can be at most; a model without a success has fewer, and so
    has one that trains no further after a look."""
    models, sets = len(study.models), len(study.data)
    names = (model.name for model in study.models)
    return {
        "search": models * sets * (study.search.settings + 1),
        "retrained": models * sets * _most_retrained(study),
        "reruns": sets * study.reruns.best * sum(map(study.rerun_seeds, names)),
        "transfer": models * sets * (sets - 1) * study.transfer.seeds,
    }


def _most_retrained(study: Study) -> int:
    """Settings of a model that are trained again at most: the best of each look may be others."""
    most, share = study.search.settings, study.retrained_share
    looks = [look for look in study.search.looks if look <= most]
    return min(most, sum(math.ceil(share * look - 1e-9) for look in looks))


def _not_named(study: Study, search: SearchPlan) -> int:
    """Trials of a dataset that can't be named yet, at most."""
    most = 0
    for model in study.models:
        if model.name in search.ended:
            continue
        if model.name not in search.stopped:
            again = sum(t.model == model.name and t.repeat > 0 for t in search.trials)
            most += study.search.settings - search.reached + _most_retrained(study) - again
        most += study.reruns.best * study.rerun_seeds(model.name)
        most += (len(study.data) - 1) * study.transfer.seeds
    return most


class _Runs:
    """The runs of a search on one dataset, and what those that have ended scored."""

    def __init__(
        self, study: Study, data: str, results: Mapping[str, Result], rule: SelectionRule | None
    ) -> None:
        self._study, self._data, self._results, self._rule = study, data, results, rule
        self._scores: dict[str, list[RunScore]] = {model.name: [] for model in study.models}
        self._named = dict.fromkeys(self._scores, 0)
        self._again: dict[str, set[int]] = {model.name: set() for model in study.models}

    def trial(self, model: Model, setting: int, repeat: int = 0) -> Trial:
        """Name a trial of the search; each is named once."""
        trial = _trial(self._study, model, self._data, setting, repeat)
        self._named[model.name] += 1
        if self._rule is not None and trial.id in self._results:
            self._scores[model.name].append(self._rule.score(self._results[trial.id]))
        return trial

    def ended(self, model: Model) -> bool:
        """Whether every trial of a model that has been named has a result."""
        return len(self._scores[model.name]) == self._named[model.name]

    def chosen_again(self, model: Model, looks: Sequence[int], share: float) -> list[int]:
        """Choose the settings that are trained again because of the last of some looks; none before
        those of the search have a result."""
        if not looks or not share or not self.ended(model):
            return []
        from coequal.statistics.looks import retrained_settings  # SciPy takes a while to import

        validation = search_runs(self._scores[model.name]).validation
        places = retrained_settings(validation, looks, share)
        new = [place + 1 for place in places if place + 1 not in self._again[model.name]]
        self._again[model.name].update(new)
        return new

    def verdict(self, rules: "Rules") -> "Verdict":
        """Take the looks whose results are complete."""
        from coequal.statistics.verdict import verdict

        searches = {name: search_runs(scores) for name, scores in self._scores.items()}
        return verdict(searches, rules)


def _search(
    study: Study,
    data: str,
    results: Mapping[str, Result],
    rule: SelectionRule | None,
    rules: "Rules | None",
) -> SearchPlan:
    planned = study.search.looks if rules is None else [look.settings for look in rules.looks]
    most = study.search.settings
    looks = [look for look in planned if look <= most]
    # A study that grew after its last look, or ends before its first, is not judged at its end.
    stages = looks if most in looks else [*looks, most]
    share = rules.retrained_share if rules and looks else 0.0
    found, runs = SearchPlan(data, reached=-1), _Runs(study, data, results, rule)
    training = list(study.models)
    for index, stage in enumerate(stages):
        # Every setting up to the look, and of those the ones that are trained again.
        for setting in range(found.reached + 1, stage + 1):
            found.trials += [runs.trial(model, setting) for model in training]
        found.reached = stage
        so_far = looks[: index + 1]
        again = [(model, runs.chosen_again(model, so_far, share)) for model in training]
        for place in range(max(len(settings) for _, settings in again)):
            found.trials += [
                runs.trial(model, settings[place], repeat=1)
                for model, settings in again
                if place < len(settings)
            ]
        if rules is None or not all(runs.ended(model) for model in training):
            break
        # The verdict says which models train on.
        # That of a study's only look changes no plan, and the report has it.
        wanted = stage < most or len(rules.looks) > 1
        judged = wanted and stage in looks and stage >= rules.first_settings
        if judged and len(study.models) > 1:
            found.verdict = runs.verdict(rules)
            if stage < looks[-1]:
                on = found.verdict.training
                found.stopped |= {m.name: stage for m in training if m.name not in on}
                training = [model for model in training if model.name in on]
        if not training:
            break
    found.ended = {
        model.name
        for model in study.models
        if runs.ended(model) and (found.reached == most or model.name in found.stopped)
    }
    return found


def _chosen(
    study: Study,
    searches: Iterable[SearchPlan],
    results: Mapping[str, Result],
    rule: SelectionRule,
) -> dict[tuple[str, str], list[int]]:
    """The best settings by model and dataset, of the searches that have ended."""
    return {
        (model, search.data): rule.best_settings(
            (results[trial.id] for trial in search.trials if trial.model == model),
            study.reruns.best,
        )
        for search in searches
        for model in sorted(search.ended)
    }


def _reruns(study: Study, chosen: Mapping[tuple[str, str], list[int]]) -> Iterator[Trial]:
    """Fresh seeds of each model's best settings, seed first: stopped early, all models have as
    many."""
    seeds = {model.name: study.rerun_seeds(model.name) for model in study.models}
    for data in study.data:
        for repeat in range(1, max(seeds.values()) + 1):
            for model in study.models:
                if repeat <= seeds[model.name]:
                    for setting in chosen.get((model.name, data), ()):
                        yield _trial(study, model, data, setting, repeat)


def _transfers(study: Study, chosen: Mapping[tuple[str, str], list[int]]) -> Iterator[Trial]:
    """Each dataset's best setting of each model, with fresh seeds on the other datasets."""
    for source in study.data:
        for data in study.data:
            if data == source:
                continue
            for repeat in range(1, study.transfer.seeds + 1):
                for model in study.models:
                    for setting in chosen.get((model.name, source), ())[:1]:
                        yield _trial(study, model, data, setting, repeat)


def settings_of(study: Study, model: Model, setting: int) -> dict[str, Value]:
    """The hyperparameters of one setting of a model: the authors' own for 0, drawn for the rest;
    beside them the tricks of the study, the same for all.

    Each hyperparameter has its own stream, named by study seed, hyperparameter and setting:
    models that share one get the same draws, and another hyperparameter moves none of them.
    """
    chosen: dict[str, Value] = {**(study.tricks or {}), **model.settings}
    if setting == 0:
        return chosen
    ranges = searched(model.ranges(study.search.space), study.search.ranges, chosen)
    return chosen | {
        name: draw(spec.range(), seed_for(study.seed, "search", name, setting))
        for name, spec in ranges.items()
    }


def _keep(study: Study) -> dict[str, str]:
    """Which weights stay, for a trial, which knows nothing of how its study chooses."""
    rule = study.training.keep
    if rule in (None, "last"):
        return {}
    return {"keep": f"best:{study.select.metric}" if rule == "best" else "schedule"}


def training_of(study: Study, data: str) -> dict[str, Any]:
    """How all models of a study are trained on a dataset; what a study does not ask for is not
    named, so that the ids of its trials stay."""
    training = study.training
    return {
        "budget": training.budgets.get(data, training.budget).as_dict(),
        "batch_size": training.batch_size,
        "checkpoints": training.checkpoints,
        "precision": training.precision,
        **({} if training.ema is None else {"ema": training.ema}),
        **_keep(study),
        **({"extendable": True} if training.extendable else {}),
        **({"compile": True} if training.compile else {}),
        **({"cuda_graphs": True} if training.cuda_graphs else {}),
        **({} if training.stop_on is None else {"stop_on": list(training.stop_on)}),
    }


def _trial(study: Study, model: Model, data: str, setting: int, repeat: int = 0) -> Trial:
    return Trial(
        model=model.name,
        objective=model.objective,
        data=data,
        setting=setting,
        settings=settings_of(study, model, setting),
        architecture=model.nets(study.architecture),
        training=training_of(study, data),
        evaluation={
            "encoder": study.evaluation.encoder,
            "metrics": list(study.evaluation.metrics),
            "samples": study.evaluation.samples,
            **({"neighbours": True} if study.evaluation.neighbours else {}),
            **({"settings": own} if (own := study.evaluation.settings) else {}),
        },
        image_size=study.image_size,
        seed=study.seed,
        repeat=repeat,
    )
