"""Every number of the report, computed once: what the page, the tables and the command line show.

A setting is chosen by validation and reported by test, both at the checkpoint that the study's rule
names. A failed trial is never left out: worst in ranks and medians, the cap in means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from coequal.analysis import budget_curves as curves
from coequal.analysis.budget_curves import BudgetCurve, SearchScores
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.hues import with_hues
from coequal.analysis.instrument import instrument_parts
from coequal.analysis.manifold import F1 as KNOWN_F1
from coequal.analysis.manifold import (
    LastValues,
    ManifoldResults,
    add_last_values,
    manifold_results,
)
from coequal.analysis.metric import NamedMetric, named_metrics, study_metric
from coequal.analysis.model import ModelSummary, model_summary, rerun_phase
from coequal.analysis.pairs import contest, current_search
from coequal.analysis.range_position import declared_ranges
from coequal.analysis.rerun_comparison import rerun_numbers
from coequal.analysis.scores import f1_costs, scale_of, test_costs, validation_costs
from coequal.analysis.source import (
    SECOND_METRIC,
    Facts,
    ResultSource,
    protocols_of,
)
from coequal.analysis.trials import TrialSummary, trial_summary
from coequal.analysis.variance import ModelRuns, VarianceParts, variance
from coequal.design import rules_of, usable_cap
from coequal.ranges import Range
from coequal.records import MetricInfo, Result, Trial
from coequal.results.collect import open_results
from coequal.results.folder import RunFolder
from coequal.results.instrument_file import read_instrument
from coequal.results.merged_file import read_merged
from coequal.results.stopped import stopped_models
from coequal.results.study_file import StudyFile, read_study_file
from coequal.selection import RunScore, SelectionRule, search_runs
from coequal.statistics.rules import Rules, SearchRuns

COSTS = ("flops", "seconds")


def summarise(
    folder: RunFolder,
    log: Callable[[str], None] = lambda line: None,
    results: Mapping[str, Result] | None = None,
) -> list[DataSummary]:
    """Every number of the report, a summary for each dataset of the study.

    Args:
        folder: of the run.
        log: is told what had to be done to bring the log of the results up to date.
        results: of the run, by trial id; None: they are opened here.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: a result can't be used, a column would mix protocols, or the study selects by
            another rule.
    """
    stored = read_study_file(folder.path)
    known = open_results(folder, log) if results is None else results
    source = ResultSource(folder.iterate_plan(), known, folder.details)
    found = _summaries(stored, source, folder.references(), folder.metrics())
    versions, measured = folder.versions(), read_instrument(folder)
    merged, stopped = read_merged(folder.path), stopped_models(folder)
    for summary in found:
        summary.facts.versions, summary.facts.merged = versions, merged
        summary.facts.stopped = stopped
    return [
        replace(
            one,
            instrument=instrument_parts(
                measured.get(one.data, {}), one.metrics, one.metric.name, one.variance
            ),
        )
        for one in found
    ]


def summaries(
    study: Mapping[str, Any],
    plan: Sequence[Trial],
    results: Mapping[str, Result],
    references: Mapping[str, Any],
    metrics: Mapping[str, MetricInfo],
) -> list[DataSummary]:
    """Every number of the report from plain values; `results` by trial id, `metrics` by name."""
    return _summaries(StudyFile.of(study), ResultSource(plan, results), references, metrics)


def _summaries(
    stored: StudyFile,
    source: ResultSource,
    references: Mapping[str, Any],
    infos: Mapping[str, MetricInfo],
) -> list[DataSummary]:
    study = stored.study
    rule, facts, metrics = _rule(study, infos), Facts(), named_metrics(infos)
    spaces: dict[str, dict[str, Range]] = {}
    trials: dict[str, dict[str, list[TrialSummary]]] = {name: {} for name in study.get("data", ())}
    last: LastValues = {}
    for trial, result in source.trials():
        if trial.model not in spaces:
            spaces[trial.model] = declared_ranges(study, trial.model)
        summary = trial_summary(trial, result, rule, spaces[trial.model])
        trials.setdefault(trial.data, {}).setdefault(trial.model, []).append(summary)
        if result is not None:
            facts.add(result)
            add_last_values(last, result)
    # Sums of some thousand numbers only wait for a second thread, and would depend on it.
    with threadpool_limits(1, "blas"):
        found = [
            _data(
                stored,
                name,
                by_model,
                references.get(name) or {},
                rule,
                source,
                facts,
                last,
                metrics,
            )
            for name, by_model in trials.items()
        ]
    return with_hues(found)


def _data(
    stored: StudyFile,
    data: str,
    trials: Mapping[str, Sequence[TrialSummary]],
    reference: Mapping[str, Any],
    rule: SelectionRule,
    source: ResultSource,
    facts: Facts,
    last: LastValues,
    metrics: Mapping[str, NamedMetric],
) -> DataSummary:
    study = stored.study
    metric, seed = study_metric(rule), int(study.get("seed", 0))
    uses = {use: trial for use, trial in facts.protocols.items() if use.data == data}
    protocols = protocols_of(uses, metric.name)
    cap = usable_cap(reference, metric.name, metric.info)
    models = _models(study, trials, rule, source)
    rules = rules_of(
        study, metric.info, cap=cap, looks=stored.looks, comparisons=stored.comparisons
    )
    runs = {m.name: search_runs(_run_scores(m, metric)) for m in models}
    searches = {m.name: _search_scores(m, runs[m.name], rules, metric) for m in models if m.ended}
    worst = None if cap is None else metric.cost(cap)
    best = None if metric.bound is None else metric.cost(metric.bound)
    phase = rerun_phase(models, study)
    complete = phase is not None and phase.missing == 0
    models, comparison = rerun_numbers(models, metric, cap, complete=complete)
    bounds: dict[str, Any] = {"cap": worst, "floor": best, "seed": seed}
    manifold = manifold_results(last, protocols, metrics)
    return DataSummary(
        data=data,
        metric=metric,
        rule=rule,
        cap=cap,
        floor=(reference.get("floor") or {}).get(metric.name),
        bound=metric.bound,
        reference=reference,
        protocols=protocols,
        models=models,
        contest=contest(runs, rules, _authors(models, metric)),
        curves=curves.best_of_curves(searches, metric=metric, **bounds),
        ranks=curves.ranks(searches, cap=worst),
        cost_curves={
            unit: curves.cost_curves(searches, unit, metric=metric, **bounds) for unit in COSTS
        },
        f1_curves=_f1(models, reference, metric, seed, manifold, metrics),
        rerun_comparison=comparison,
        variance=_variance(models, metric, cap, seed),
        rerun_phase=phase,
        facts=facts,
        metrics=metrics,
        manifold=manifold,
    )


def _models(
    study: Mapping[str, Any],
    trials: Mapping[str, Sequence[TrialSummary]],
    rule: SelectionRule,
    source: ResultSource,
) -> tuple[ModelSummary, ...]:
    names = dict.fromkeys([*(m["name"] for m in study["models"]), *trials])
    summaries = (
        model_summary(study, name, index, trials.get(name, ()), rule)
        for index, name in enumerate(names)
    )
    return tuple(_with_test_values(model, source) for model in summaries)


def _with_test_values(model: ModelSummary, source: ResultSource) -> ModelSummary:
    """The model with every metric of its chosen setting and of the re-runs that are reported."""
    if model.chosen is None or model.chosen.checkpoint is None:
        return model
    again = model.rerun.runs if model.rerun and model.rerun.setting is not None else ()
    return replace(
        model,
        test_values=source.tested(model.chosen.trial, model.chosen.checkpoint.step),
        test_errors=source.errors(model.chosen.trial, model.chosen.checkpoint.step),
        details=source.details(model.chosen.trial),
        rerun_test_values=tuple(
            source.tested(t.trial, t.checkpoint.step) for t in again if t.checkpoint
        ),
        rerun_test_errors=tuple(
            source.errors(t.trial, t.checkpoint.step) for t in again if t.checkpoint
        ),
    )


def _run_scores(model: ModelSummary, metric: NamedMetric) -> list[RunScore]:
    """The random settings of a model, each with its fresh seeds, as costs."""
    again = (run for runs in model.fresh_seeds.values() for run in runs)
    trials = [trial for trial in (*model.settings, *again) if trial.has_result]
    scores = zip(validation_costs(trials, metric), test_costs(trials, metric), strict=True)
    return [
        RunScore(trial.number, trial.repeat, float(validation), float(test))
        for trial, (validation, test) in zip(trials, scores, strict=True)
    ]


def _authors(models: Sequence[ModelSummary], metric: NamedMetric) -> dict[str, float]:
    """Test values of the authors' settings that have a result, as costs; NaN for a failure."""
    return {
        m.name: metric.cost(m.authors.test)
        for m in models
        if m.authors is not None and m.authors.has_result
    }


def _search_scores(
    model: ModelSummary, runs: SearchRuns, rules: Rules, metric: NamedMetric
) -> SearchScores:
    """A model's random settings that have a result; those that were trained again with the score of
    their fresh seed."""
    trials = model.ended
    test = test_costs(trials, metric)
    if rules.looks and runs.settings:
        again = current_search(runs, rules)
        places = {trial.number: place for place, trial in enumerate(trials)}
        for setting in np.flatnonzero(~np.isnan(again.own_scores)):
            test[places[int(setting) + 1]] = again.scores[setting]
    return SearchScores(
        test=test,
        validation=validation_costs(trials, metric),
        flops=np.array([float(t.spent.flops) if t.spent else 0.0 for t in trials]),
        seconds=np.array([float(t.spent.seconds) if t.spent else 0.0 for t in trials]),
    )


def _f1(
    models: Sequence[ModelSummary],
    reference: Mapping[str, Any],
    metric: NamedMetric,
    seed: int,
    manifold: ManifoldResults | None,
    metrics: Mapping[str, NamedMetric],
) -> dict[str, BudgetCurve]:
    """Expected best F1 of n settings, the search looking at F1 itself, as Lucic et al. draw it;
    against the known manifold where there is one, else of features."""
    f1 = metrics.get(SECOND_METRIC if manifold is None else KNOWN_F1)
    if f1 is None:
        return {}
    if manifold is not None:
        costs = {m.name: -np.array(manifold.test(KNOWN_F1, m.ended)) for m in models if m.ended}
    else:
        costs = {m.name: f1_costs(m.ended, f1) for m in models if m.ended}
    measured = any(np.isfinite(found).any() for found in costs.values())
    if metric.name in ("f1", KNOWN_F1) or not measured:
        return {}
    cap = float((reference.get("cap") or {}).get("f1", 0.0))  # 0 is the worst that F1 can be
    nothing = np.zeros(0)
    searches = {name: SearchScores(found, found, nothing, nothing) for name, found in costs.items()}
    assert f1.bound is not None
    return curves.best_of_curves(
        searches, metric=f1, cap=f1.cost(cap), floor=f1.cost(f1.bound), seed=seed
    )


def _variance(
    models: Sequence[ModelSummary], metric: NamedMetric, cap: float | None, seed: int
) -> VarianceParts | None:
    runs = [
        ModelRuns(
            m.name,
            m.ended,
            tuple(tuple(t for t in g if t.has_result) for g in m.fresh_seeds.values()),
        )
        for m in models
    ]
    scores = [test_costs(trials, metric) for r in runs for trials in (r.search, *r.reruns)]
    scale = scale_of(metric, scores, 1.0 if cap is None else metric.cost(cap))
    return variance(runs, metric=metric, scale=scale, seed=seed)


def _rule(study: Mapping[str, Any], metrics: Mapping[str, MetricInfo]) -> SelectionRule:
    select = {"metric": "fd", "split": "validation", "checkpoint": "last"}
    select |= study.get("select") or {}
    if select["split"] != "validation" or select["checkpoint"] not in ("last", "best"):
        raise ValueError(
            f"select: split {select['split']}, checkpoint {select['checkpoint']}: the report knows "
            "only split validation, checkpoint last or best"
        )
    return SelectionRule.of(select, metrics)
