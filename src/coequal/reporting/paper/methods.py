"""One paragraph on how a study was done, ready for a paper, from the same facts as the page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import capital, count, duration, listed, number, percent, plain
from coequal.reporting.latex.text import escape
from coequal.reporting.methods_text import planned_seeds
from coequal.reporting.pair_sentences import within
from coequal.reporting.paper.bibliography import Citations, source_of

Study = Mapping[str, Any]


def methods(summaries: Sequence[DataSummary], study: Study, citations: Citations) -> str:
    """A paragraph in LaTeX: what was trained and how long, how settings were drawn and chosen, what
    was measured and tested, what failed, and on which machine.

    Args:
        summaries: one for each dataset.
        study: with every default filled in.
        citations: are told what the paragraph cites.
    """
    sentences = [
        *_models(summaries, study, citations),
        *_data(summaries, citations),
        *_training(study, citations),
        *_search(summaries, study),
        *_instrument(summaries, study, citations),
        *_tests(summaries, citations),
        *_outcome(summaries, study),
    ]
    return "% A paragraph on methods; the keys are those of references.bib.\n" + "\n".join(
        f"{text}." for text in sentences
    )


def _models(summaries: Sequence[DataSummary], study: Study, cite: Citations) -> Iterator[str]:
    models = study["models"]
    title = {model.name: model.title for model in summaries[0].models}
    compared = [model for model in models if not model.get("against")]
    titles = [
        escape(title[m["name"]]) + cite.of(str(m.get("source") or ""), m["name"]) for m in compared
    ]
    changed = len(models) - len(compared)
    changes = f", and {count(changed, 'variant')} of them" if changed else ""
    yield f"We trained {listed(titles)}{changes} with coequal, under one budget and one protocol"


def _data(summaries: Sequence[DataSummary], cite: Citations) -> Iterator[str]:
    texts = []
    for summary in summaries:
        counts = summary.reference.get("counts") or {}
        names = {"train": "training"}
        splits = listed([f"{n:,} {escape(names.get(split, split))}" for split, n in counts.items()])
        images = f" ({splits} images)" if splits else ""
        texts.append(escape(summary.data) + cite.of(source_of("datasets", summary.data)) + images)
    yield f"The data are {listed(texts)}"


def _training(study: Study, cite: Citations) -> Iterator[str]:
    training, nets = study["training"], study["architecture"]
    budgets = [training["budget"], *(training.get("budgets") or {}).values()]
    texts = [_budget(budget) for budget in budgets]
    several = "" if len(texts) == 1 else f" ({listed(texts[1:])} on datasets with their own)"
    yield (
        f"Every run could spend {texts[0]}{several}, at batch size {training['batch_size']} in "
        f"{escape(str(training['precision']))}"
    )
    own = sum(nets | (model.get("architecture") or {}) != nets for model in study["models"])
    others = (
        f", except for {_counted(own, 'model')} with {'its' if own == 1 else 'their'} own"
        if own
        else ""
    )
    about = ", ".join(f"{escape(k)} {escape(plain(v))}" for k, v in nets.items() if k != "name")
    yield (
        f"The networks are those of `{escape(nets['name'])}'"
        f"{cite.of(source_of('architectures', nets['name']))}"
        f"{f' ({about})' if about else ''}{others}"
    )


def _budget(budget: Mapping[str, Any]) -> str:
    return " or ".join(_amount(unit, amount) for unit, amount in budget.items())


def _amount(unit: str, amount: float) -> str:
    if unit == "flops":
        return escape(f"{amount:.3g}") + " FLOPs"
    return f"{amount:,} {escape(unit.replace('_', ' '))}"


def _search(summaries: Sequence[DataSummary], study: Study) -> Iterator[str]:
    search = study["search"]
    drawn = max((len(m.settings) for s in summaries for m in s.models), default=0)
    authors = any(m.authors is not None for s in summaries for m in s.models)
    if drawn:
        beside = ", in addition to the setting of its authors" if authors else ""
        same = "; models that share a hyperparameter got the same draws of it"
        ranges = search.get("ranges") or {}
        changed = [escape(name.replace("_", " ")) for name in ranges]
        own = f", with this study's own ranges for {listed(changed)}" if changed else ""
        yield (
            f"For each model {_counted(drawn, 'setting')} {'was' if drawn == 1 else 'were'} drawn "
            f"at random from its {escape(search['space'])} ranges, declared before the "
            f"start{own}{beside}{same}"
        )
    else:
        yield "Each model was trained with one setting; no other was tried"
    summary = summaries[0]
    when = "last" if summary.rule.checkpoint == "last" else "best"
    label = escape(summary.metric.label)
    if drawn:
        yield (
            f"A setting was judged by its {label} on the validation split at its {when} "
            f"checkpoint; we report its {label} on the test split at the same checkpoint"
        )
    rules = summary.verdict.rules if summary.verdict and summary.verdict.pairs else None
    if drawn and rules and rules.retrained_share:
        share = escape(percent(rules.retrained_share))
        yield (
            f"The best {share} of the settings by validation were retrained with a fresh seed, and "
            "the score of that seed counts"
        )
    seeds = planned_seeds(study, "reruns")
    if seeds:
        best = study["reruns"]["best"]
        which = "chosen setting" if best == 1 else f"best {best} settings by validation"
        yield f"The {which} of each model was then trained with {_counted(seeds, 'fresh seed')}"


def _instrument(summaries: Sequence[DataSummary], study: Study, cite: Citations) -> Iterator[str]:
    summary, evaluation = summaries[0], study["evaluation"]
    encoder = str(summary.reference.get("encoder") or evaluation.get("encoder") or "unknown")
    note = summary.reference.get("encoder_note") if len(summaries) == 1 else None
    metric = cite.of(source_of("metrics", summary.metric.name))
    weights = cite.of(source_of("encoders", encoder), most=1)
    yield (
        f"{escape(capital(summary.metric.label))}{metric} was computed from "
        f"{evaluation['samples']:,} generated images of each network with the encoder "
        f"{escape(encoder)}{weights}"
        f"{f' ({escape(str(note))})' if note else ''}"
    )
    if len(summaries) == 1 and None not in (summary.floor, summary.cap):
        worst = "the worst possible" if summary.cap == summary.metric.info.worst else "noise"
        yield (
            f"Held-out real images score {escape(number(summary.floor))}, {worst} "
            f"{escape(number(summary.cap))}"
        )
    others = [escape(other.label) for other in summary.other_metrics]
    if others:
        sources = "\n".join(source_of("metrics", name) for name in evaluation["metrics"])
        yield f"Also measured were {listed(others)}{cite.of(sources)}"


def _tests(summaries: Sequence[DataSummary], cite: Citations) -> Iterator[str]:
    contested = [s for s in summaries if s.verdict is not None and s.verdict.could_separate]
    if contested:
        verdict = contested[0].verdict
        assert verdict is not None
        rules = verdict.rules
        looks = listed([str(look.settings) for look in rules.looks])
        several = f"the best of {verdict.budget} random settings by validation"
        best = "a random setting" if verdict.budget == 1 else several
        yield (
            f"Two models are compared by the probability that {best} of one scores better than "
            "that of the other, paired by setting, with failures worst; the error of 5\\,\\% is "
            f"spent over {_counted(len(rules.looks), 'look')} (at {looks} settings) and divided by "
            f"the {count(len(verdict.pairs), 'pair')} (Bonferroni)"
        )
        if rules.margin is not None:
            what = "ratio" if rules.scale == "log" else "difference"
            yield (
                f"They are equivalent if the simultaneous interval of the {what} of their mean "
                f"scores lies {escape(within(rules))}"
            )
        yield (
            "Intervals of one model's mean score are Student's t intervals at 95\\,\\% over the "
            "draw of its settings"
        )
    changed = [s for s in summaries if s.rerun_comparison.effects]
    told_apart = any(s.rerun_verdict and s.rerun_verdict.differences for s in summaries)
    if changed or told_apart:
        pairs = sum(s.rerun_comparison.comparisons for s in changed)
        many = f" over the {pairs} comparisons" if pairs else ""
        yield (
            "Runs with fresh seeds are compared by the exact Mann--Whitney "
            f"test{cite.key('mann1947')}, with p-values adjusted by Holm's "
            f"method{cite.key('holm1979')}{many}"
        )
        if changed:
            yield (
                "The reported change is the median over all pairs of one run of each, with the "
                "interval that corresponds to the test, corrected for the number of comparisons "
                "(Bonferroni)"
            )
    if not contested and not changed and not told_apart:
        yield "With so few runs no test is possible, and none was made"


def _outcome(summaries: Sequence[DataSummary], study: Study) -> Iterator[str]:
    facts = summaries[0].facts
    runs = [t for s in summaries for m in s.models for t in (*m.tried, *_again(m.fresh_seeds))]
    failed = sum(run.failed for run in runs)
    total = count(len(runs), "run")
    ends = f"{failed:,} of {total}" if failed else f"None of {total}"
    yield f"{ends} ended without a score; such a run counts as the worst"
    if not all(summary.finished for summary in summaries):
        yield "The study is not finished; every number can still change"
    known = facts.environment
    versions = [f"{name} {_values(known[name])}" for name in _SOFTWARE if known.get(name)]
    device = known.get("device", set()) - {"cpu"} or known.get("processor")
    where = f" on {escape(_values(device))}" if device else ""
    software = f" with {escape(', '.join(versions))}" if versions else ""
    seed = f"; the study's seed is {study.get('seed', 0)}"
    yield f"Training took {duration(facts.seconds, decimals=1)} in all{where}{software}{seed}"


_SOFTWARE = ("coequal", "torch", "numpy", "python")


def _values(seen: Sequence[str] | set[str]) -> str:
    return " and ".join(sorted(seen))


def _again(fresh: Mapping[int, Sequence[Any]]) -> list[Any]:
    return [run for runs in fresh.values() for run in runs if run.has_result]


def _counted(n: int, noun: str) -> str:
    """ "one look", "2 looks"."""
    return f"one {noun}" if n == 1 else count(n, noun)
