"""How it was done, in words: the texts under Methods."""

import re
from collections.abc import Mapping
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import listed, plain
from coequal.statistics.orders import ORDERS, RESAMPLES
from coequal.statistics.search import MAX_EXACT_SETTINGS


def methods(summary: DataSummary, study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Headings and what is to be known about each, for one data set."""
    return [
        ("Training", _training(study, summary.data)),
        ("Search", _search(study)),
        *([("Re-runs", _reruns(study))] if planned_seeds(study, "reruns") else []),
        ("Choosing and reporting", _choosing(summary)),
        ("Data", _data(summary)),
        ("Instrument", _instrument(summary, study)),
        ("BatchNorm", _batch_norm(summary)),
        ("Failures", _failures(summary)),
        *stopping(study),
        ("Budget curves", _budget(summary)),
        ("Verdict", _verdict(summary)),
        ("What each number is over", _over(study)),
    ]


def _training(study: Mapping[str, Any], data: str) -> str:
    training = study.get("training") or {}
    own = (training.get("budgets") or {}).get(data)
    budget = " or ".join(
        f"{amount:,} {unit.replace('_', ' ')}"
        for unit, amount in (own or training.get("budget") or {}).items()
    )
    nets = study.get("architecture") or {}
    shape = ", ".join(f"{key} {value}" for key, value in nets.items() if key != "name")
    average = training.get("ema")
    return (
        f"Every trial may spend {budget or 'the same budget'} at batch size "
        f"{training.get('batch_size', 'unknown')}, in "
        f"{training.get('precision', 'unknown precision')}, "
        f"and is measured at {training.get('checkpoints', 'its')} checkpoints. All models use the "
        f"nets '{nets.get('name', 'unknown')}'{f' ({shape})' if shape else ''}"
        f"{_own_nets(study)}. "
        f"Weight averaging (EMA): {'none' if average is None else average}. "
        "Measuring is off the clock."
    )


def _own_nets(study: Mapping[str, Any]) -> str:
    """Which models bring nets of their own."""
    nets = []
    for model in study.get("models") or ():
        if own := model.get("architecture"):
            rest = ", ".join(f"{key} {value}" for key, value in own.items() if key != "name")
            title = model.get("title") or model.get("name")
            nets.append(f"{title} ({own.get('name')}{f', {rest}' if rest else ''})")
    if not nets:
        return ", unless a model brings its own"
    return f", except for those with nets of their own, at the same width: {', '.join(nets)}"


def _search(study: Mapping[str, Any]) -> str:
    search = study.get("search") or {}
    text = (
        f"{search.get('settings', 'Several')} settings per model. Setting 0 is the authors'; the "
        f"rest are random draws from the '{search.get('space', 'wide')}' ranges, declared before "
        "the start. Models with a hyper-parameter in common get the same draws of it."
    )
    if replaced := search.get("ranges"):
        names = listed([name.replace("_", " ") for name in replaced])
        text += f" This study gives all models its own range of {names}."
        text += " Its reason stands under departures." if search.get("reason") else ""
    return text


def _reruns(study: Mapping[str, Any]) -> str:
    phase = study.get("reruns") or {}
    best, seeds = int(phase.get("best", 1)), planned_seeds(study, "reruns")
    which = "chosen setting" if best == 1 else f"best {best} settings (by validation)"
    text = f"Each model's {which} is trained again with {seeds} fresh seeds."
    if best > 1:
        text += (
            f" The first {seeds // 2} seeds choose among the settings by the median of their "
            "validation values (failures worst); the other seeds are reported, on test: the seeds "
            "that choose are never those that are reported."
        )
    return text + (
        " IQM is the interquartile mean on the logarithm of the score, failures at the cap, with "
        "Yuen's t interval; chosen settings are compared by Yuen's t on those means, p-values "
        "after Holm. With fewer than 5 runs there is no interval, below 6 none for the median, "
        "below 10 an interval is a screening and no claim."
    )


def _choosing(summary: DataSummary) -> str:
    label = summary.metric.label
    last = summary.rule.checkpoint == "last"
    where = "its last checkpoint" if last else "the checkpoint with the best validation value"
    return (
        f"A setting is judged by its {label} on the validation split at {where} "
        f"({summary.metric.better}); what is reported is the {label} on the test split at that "
        "same checkpoint. The oracle is the best test value over all settings and checkpoints, "
        "which is how Lucic et al. 2018 choose. It shows what an honest choice costs, and no "
        "search can achieve it. The selection gap is the value reported by the search minus that "
        "of fresh seeds of the same setting: it measures the luck in the choice."
    )


def _data(summary: DataSummary) -> str:
    reference = summary.reference
    counts = ", ".join(f"{n:,} {split}" for split, n in (reference.get("counts") or {}).items())
    shape = " × ".join(map(str, reference.get("shape") or ()))
    parts = [f"{summary.data}"]
    parts += [f"images of {shape} (channels, height, width)"] if shape else []
    parts += [counts] if counts else []
    if reference.get("fingerprint"):
        parts.append(f"fingerprint {reference['fingerprint']}")
    return "; ".join(parts) + "."


def _instrument(summary: DataSummary, study: Mapping[str, Any]) -> str:
    evaluation = study.get("evaluation") or {}
    encoder = summary.reference.get("encoder") or evaluation.get("encoder") or "unknown"
    note = summary.reference.get("encoder_note")
    return (
        f"Encoder {encoder}{f' ({note})' if note else ''}; "
        f"{evaluation.get('samples', 'an unknown number of')} generated images per measurement. "
        f"Held-out real images score {_level(summary.floor)} (the floor: validation against test); "
        f"images of uniform noise score {_level(summary.cap)} (the cap)."
    )


def _batch_norm(summary: DataSummary) -> str:
    text = " ".join(summary.protocols[summary.metric.name].values())
    mode = re.search(r"\b(?:bn|batch[-_ ]?norm)\w*\s*[=: ]\s*([\w.-]+)", text, flags=re.IGNORECASE)
    if mode is None:
        return "The protocol names no BatchNorm mode for the generator while it makes the images."
    return f"While the generator makes the measured images its BatchNorm mode is '{mode[1]}'."


def _failures(summary: DataSummary) -> str:
    cap = "no cap was declared" if summary.cap is None else f"the cap, {plain(summary.cap)}"
    return (
        f"A trial that diverged, failed or ran out of time is a result. It counts as the worst in "
        f"ranks and medians and as {cap}, in means; a score worse than the cap counts as the cap "
        "in means. Failure rates carry a 95 % Wilson interval, which is over the draw of settings."
    )


def _budget(summary: DataSummary) -> str:
    bound = "none is known" if summary.bound is None else plain(summary.bound)
    return (
        "The expected best of n of B settings is exact and unbiased, over all draws of n without "
        "replacement (Tang et al. 2020). Its interval is the spacings interval: the "
        "probabilities below the B sorted scores are distributed like B sorted uniform numbers "
        "whatever the distribution of the scores; the region better than the best setting is "
        f"bounded by the metric (best possible value: {bound}), the region worse than the worst "
        "by the cap. It covers 95 % or more in simulations over eleven distributions. The ratio "
        "n/B decides how much can be concluded: the settings contain about B/n independent draws "
        "of n. Up to 0.19 the settings bound the interval on both sides, up to 0.5 only on one, "
        "and above 0.5 no interval is given. Against FLOPs and seconds, settings are tried in "
        "random order until the next no longer fits, again in closed form; intervals there are "
        "approximate and are not given above half of the search's cost. The coverage of each "
        f"interval was simulated: docs/validation.md of the project.{_large(summary)}"
    )


def _large(summary: DataSummary) -> str:
    """What is done in another way with very many settings; empty where none has so many."""
    if max((len(model.ended) for model in summary.models), default=0) <= MAX_EXACT_SETTINGS:
        return ""
    return (
        f" All settings count in every number, but with more than {MAX_EXACT_SETTINGS} of a model "
        f"some are computed in another way: against FLOPs and seconds by searches in {ORDERS} "
        f"random orders instead of the closed form, with intervals from {RESAMPLES} resamples; "
        "ranks at a selection of n; spacings and permutations with fewer draws. That was not part "
        "of the simulations."
    )


def _verdict(summary: DataSummary) -> str:
    verdict = summary.verdict
    budget = "" if verdict is None else f" Here n is {verdict.budget}."
    return (
        "Models are compared by P(A better than B): the probability that the best of n settings "
        "drawn from one search beats the best of n from another (test values of settings chosen "
        "by validation, failures worst, ties one half). From 20 settings each, n is a tenth of "
        "the settings, fixed before any score is seen, and pairs are tested by normal scores on "
        "the logit scale; smaller searches are compared at n = 1 by the exact permutation "
        "distribution. The worse model of the clearest pair is eliminated, and the remaining "
        "models are compared again, with Bonferroni's correction for the remaining pairs. "
        "Identical models stay together in about 95 % of studies or more. The verdict compares "
        f"whole searches, not the best settings.{budget}"
    )


def _over(study: Mapping[str, Any]) -> str:
    text = (
        "Each value of the search comes from a single training run: one setting, one seed, one "
        "set of generated images. Budget curves, P(A better than B), power and the verdict are "
        "over the draw of settings."
    )
    if planned_seeds(study, "reruns"):
        text += " Results of re-runs are over training seeds, at one setting of each model."
    return f"{text} A metric's own standard error is over new generated images of one network."


def planned_seeds(study: Mapping[str, Any], phase: str) -> int:
    """The fresh seeds that a study plans for each setting of a phase; 0 without the phase."""
    return int((study.get(phase) or {}).get("seeds", 0))


def _level(value: float | None) -> str:
    return "an unknown value" if value is None else plain(value)


def stopping(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the page says under Methods of a study that stops trials early; nothing of another."""
    verdicts = (study.get("training") or {}).get("stop_on") or ()
    if not verdicts:
        return []
    names = " or ".join(str(name).replace("_", " ") for name in verdicts)
    return [
        (
            "Stopping early",
            "A trial of any model ends as soon as the rules of docs/health.md give the verdict: "
            f"{names}. It counts as a failure everywhere, like one that diverged, whatever it "
            "might have scored at the end of its budget. Its unused budget is not reassigned.",
        )
    ]
