"""The plan of a study: pure, without torch, clock or files."""

from collections.abc import Iterable, Mapping

from coequal.ranges import Value, draw, searched
from coequal.records import Result, Trial
from coequal.seeds import seed_for
from coequal.selection import SelectionRule
from coequal.study.model import Model
from coequal.study.spec import Study


def plan(
    study: Study, results: Mapping[str, Result] | None = None, rule: SelectionRule | None = None
) -> list[Trial]:
    """All trials of a study that can be named by now, in a fixed order and each once.

    The search comes first and depends on no result. Re-runs (fresh seeds of the best settings) and
    transfers (the best setting of one data set on the others) of a model are named as soon as every
    trial of its search on that data set has a result. A transfer whose setting is also the best of
    the data set that it goes to is the same trial as the re-run.

    Args:
        study: as its file says.
        results: by trial id; what else it holds does not matter.
        rule: by which the study chooses settings; None: only the search is named.
    """
    search = search_of(study)
    if rule is None:
        return search
    known = results or {}
    later = (*reruns_of(study, search, known, rule), *transfers_of(study, search, known, rule))
    return list({trial.id: trial for trial in (*search, *later)}.values())


def search_of(study: Study) -> list[Trial]:
    """Every setting of every model, the authors' (0) and those drawn: data set, setting, model.

    Settings come first, models second: however early a run is stopped, every model has had about as
    many.
    """
    return [
        _trial(study, model, data, setting)
        for data in study.data
        for setting in range(study.search.settings + 1)
        for model in study.models
    ]


def reruns_of(
    study: Study, search: Iterable[Trial], results: Mapping[str, Result], rule: SelectionRule
) -> Iterable[Trial]:
    """Fresh seeds of each model's best settings, seed first: stopped early, all models have as
    many."""
    seeds = {model.name: study.rerun_seeds(model.name) for model in study.models}
    most = max(seeds.values())
    chosen = _chosen(search, results, rule, study.reruns.best) if most else {}
    for data in study.data:
        for repeat in range(1, most + 1):
            for model in study.models:
                if repeat <= seeds[model.name]:
                    for setting in chosen.get((model.name, data), ()):
                        yield _trial(study, model, data, setting, repeat)


def transfers_of(
    study: Study, search: Iterable[Trial], results: Mapping[str, Result], rule: SelectionRule
) -> Iterable[Trial]:
    """Each data set's best setting of each model, with fresh seeds on the other data sets."""
    chosen = _chosen(search, results, rule, 1) if study.transfer.seeds else {}
    for source in study.data:
        for data in study.data:
            if data == source:
                continue
            for repeat in range(1, study.transfer.seeds + 1):
                for model in study.models:
                    for setting in chosen.get((model.name, source), ()):
                        yield _trial(study, model, data, setting, repeat)


def most_trials(study: Study) -> dict[str, int]:
    """By phase, how many trials there can be at most; a model without a success has fewer."""
    models, sets = len(study.models), len(study.data)
    names = (model.name for model in study.models)
    return {
        "search": models * sets * (study.search.settings + 1),
        "reruns": sets * study.reruns.best * sum(map(study.rerun_seeds, names)),
        "transfer": models * sets * (sets - 1) * study.transfer.seeds,
    }


def settings_of(study: Study, model: Model, setting: int) -> dict[str, Value]:
    """The hyper-parameters of one setting of a model: the authors' own for 0, drawn for the rest;
    beside them the tricks of the study, the same for all.

    Each hyper-parameter has its own stream, named by study seed, hyper-parameter and setting:
    models that share one get the same draws, and another hyper-parameter moves none of them.
    """
    chosen: dict[str, Value] = {**(study.tricks or {}), **model.settings}
    if setting == 0:
        return chosen
    ranges = searched(model.ranges(study.search.space), study.search.ranges, chosen)
    return chosen | {
        name: draw(spec.range(), seed_for(study.seed, "search", name, setting))
        for name, spec in ranges.items()
    }


def _chosen(
    search: Iterable[Trial], results: Mapping[str, Result], rule: SelectionRule, count: int
) -> dict[tuple[str, str], list[int]]:
    """The best settings by model and data set, of the searches that have ended."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in search:
        groups.setdefault((trial.model, trial.data), []).append(trial)
    return {
        key: rule.best_settings([results[trial.id] for trial in trials], count)
        for key, trials in groups.items()
        if all(trial.id in results for trial in trials)
    }


def _keep(study: Study) -> dict[str, str]:
    """Which weights stay, for a trial, which knows nothing of how its study chooses."""
    rule = study.training.keep
    if rule in (None, "last"):
        return {}
    return {"keep": f"best:{study.select.metric}" if rule == "best" else "schedule"}


def _trial(study: Study, model: Model, data: str, setting: int, repeat: int = 0) -> Trial:
    training = study.training
    return Trial(
        model=model.name,
        objective=model.objective,
        data=data,
        setting=setting,
        settings=settings_of(study, model, setting),
        architecture=model.nets(study.architecture),
        training={
            "budget": training.budgets.get(data, training.budget).as_dict(),
            "batch_size": training.batch_size,
            "checkpoints": training.checkpoints,
            "precision": training.precision,
            **({} if training.ema is None else {"ema": training.ema}),
            **_keep(study),
            **({} if training.stop_on is None else {"stop_on": list(training.stop_on)}),
        },
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
