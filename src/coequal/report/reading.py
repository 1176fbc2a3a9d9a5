"""How to read each figure, in one sentence; and why one is missing, where it is refused."""

from coequal.analysis.summary import DataSummary
from coequal.report.formatting import plain
from coequal.statistics.sensitivity import MIN_SETTINGS

TITLES = {
    "best_and_reruns": "Best {label} after the search, and re-runs",
    "reruns": "Re-runs of the chosen settings",
    "distribution": "Distribution of {label} over settings",
    "best_of_n": "Best of n",
    "bands": "Best of n, with intervals",
    "cost": "Best within a budget of FLOPs and of seconds",
    "ranks": "Rank against budget",
    "rank_flips": "Rank flips",
    "learning": "Over training",
    "f1": "Best F1 of n",
    "by_class": "GAN-train and GAN-test by class",
    "confusion": "What generated images are taken for",
    "manifold_plane": "Precision and recall of every setting",
    "manifold_distance": "F1 against the distance of features",
    "chances": "P(A better than B)",
    "power": "What it would take",
    "effects": "Against the model that it is compared with",
    "rerun_pairs": "Which chosen settings differ",
    "sensitivity": "What each hyper-parameter did",
    "health_settings": "Which settings fail",
}
"""The paper's names (Lucic et al. 2018) where it has the figure or table."""

PROFILE = (
    "Each line is the share of a model's runs, over all data sets, that reach a normalised "
    "score or better; a line above another everywhere is better whatever the score asked for."
)

OPTIMISM = "of one run per setting, so a little too good: the re-runs say how much"


def best_of_n(summary: DataSummary) -> str:
    """The curves of all models."""
    label = summary.metric.label
    cap = summary.cap
    failure = "excluding its model" if cap is None else f"counting as the cap of {plain(cap)}"
    return (
        f"Each line is the expected test {label} of the best of n random settings, picked by "
        f"validation ({OPTIMISM}), a failure {failure}; solid to n/B = 0.19, dashed to 0.5 "
        "where two looks at the best of n exist, nothing beyond, and the open marker is only "
        "what the whole search observed."
    )


def bands(summary: DataSummary) -> str:
    """The curves with intervals."""
    bound = "" if summary.bound is None else f" ({plain(summary.bound)})"
    return (
        "The shaded band is the 95 % interval over the draw of settings (spacings method, which "
        "covers 95 % or more); where the line is dashed the band's better end leans on the "
        f"metric's own bound{bound}, and grey lines are the other models."
    )


def cost(summary: DataSummary) -> str:
    """The same against cost."""
    return (
        f"Each line is the expected test {summary.metric.label} of the best setting that a "
        "search finishes within so much training cost, settings tried in random order, failed "
        "ones with what they spent; it ends at half of what the model's whole search spent, "
        "and its intervals (in cost_curves.csv; shaded for up to four models) are approximate."
    )


def ranks(summary: DataSummary) -> str:
    """Ranks at every budget."""
    return (
        "Each line is a model's rank by the expected best of n settings; where two lines "
        "cross, who is ahead depends on how many settings one can afford, and no difference is "
        "claimed to be shown."
    )


def distribution(summary: DataSummary) -> str:
    """Every setting."""
    floor = ""
    if summary.floor is not None:
        noise = "" if summary.cap is None else f", noise {plain(summary.cap)}"
        floor = f" Held-out real images score {plain(summary.floor)}{noise}."
    return (
        f"Each dot is one setting's test {summary.metric.label}, left to right in the order drawn: "
        "★ the authors' setting, a ring around the one chosen on validation, a grey bar at the "
        f"median, × at the top edge a failure.{floor}"
    )


def reruns(summary: DataSummary) -> str:
    """Every re-run."""
    return (
        "Each dot is one fresh seed of the chosen setting (open: a severe outlier; × at the top "
        "edge: a failure); the bar on the right is the interquartile mean with its 95 % "
        "interval over seeds, the triangle on the left is what the search had seen."
    )


def learning(summary: DataSummary) -> str:
    """Over training."""
    return (
        f"The thick line is the chosen setting's {summary.metric.label} on test, dashed on "
        "validation, dotted the test value of its best checkpoint so far by validation; thin "
        "lines or shades (middle half and eight tenths, failures worst) are the model's other "
        "settings at their best so far, grey lines the other models' chosen settings."
    )


def f1(summary: DataSummary) -> str:
    """F1 against budget."""
    return (
        "Each line is the expected test F1 (the harmonic mean of precision and recall; 1 is "
        "best) of the best of n random settings, picked by that very F1 as the paper does (an "
        "oracle: no search may look at test), a failure counting as the worst; solid, dashed and "
        "marker as above."
    )


def manifold_plane(summary: DataSummary) -> str:
    """Precision against recall."""
    return (
        "Each dot is one setting's test precision and recall against the known manifold, a ring "
        "around the one chosen on validation; grey lines join equal F1. Failed settings are not "
        "drawn."
    )


def manifold_distance(summary: DataSummary) -> str:
    """F1 beside the distance."""
    return (
        "Left, each dot is one setting: where F1 and the distance agreed, dots would fall from top "
        "left to bottom right. Right, what a search by the distance loses: the test F1 of the "
        "setting it chooses (open) and of the one that a search by F1 chooses (full)."
    )


def refusal(summary: DataSummary, name: str) -> str:
    """Why a piece of evidence is missing, in words; empty where it isn't or nobody would ask."""
    if not summary.ended:
        return ""
    asked = {
        "best_and_reruns": _reruns,
        "best_of_n": _curves,
        "bands": _bands,
        "cost": _cost,
        "power": _power,
        "sensitivity": _sensitivity,
    }
    return asked[name](summary) if name in asked else ""


def _reruns(summary: DataSummary) -> str:
    if summary.rerun_phase is not None:
        return ""
    return (
        "No interval over training seeds, and no mean ± sd: the study plans no re-runs "
        "(`reruns: {best: 1, seeds: 10}` in the study file)."
    )


def _curves(summary: DataSummary) -> str:
    few = [m.title for m in summary.models if 0 < len(m.ended) < 2]
    if few:
        return f"No curve for {', '.join(few)}: one setting is no search."
    without = [m.title for m in summary.models if m.ended and m.name not in summary.curves]
    if without:
        return (
            f"No curve for {', '.join(without)}: it has failures and no cap was declared for them "
            "to count as, so no mean exists."
        )
    return ""


def _bands(summary: DataSummary) -> str:
    if any(p.low is not None for c in summary.curves.values() for p in c.points):
        return ""
    if not summary.curves:
        return ""
    if summary.cap is None:
        return "No interval: no cap was declared, so the worse end is unknown."
    if summary.bound is None:
        return f"No interval: {summary.metric.label} has no known best possible value."
    return "No interval: beyond n/B = 0.5, half of the settings, there are fewer than two looks."


def _cost(summary: DataSummary) -> str:
    if any(summary.cost_curves.values()):
        return ""
    return "Not drawn: it needs a declared cap and at least two settings with a known cost each."


def _power(summary: DataSummary) -> str:
    found = summary.contest
    if found is None or len(found.verdict.tier) < 2:
        return ""
    tier = found.verdict.tier
    pairs = [p for p in found.pairs if p.a in tier and p.b in tier]
    if any(pair.needed for pair in pairs):
        return ""
    why = "; ".join(sorted({pair.needed_refusal for pair in pairs}))
    return f"No number of settings that would separate the first tier can be named: {why}."


def _sensitivity(summary: DataSummary) -> str:
    if any(m.influences for m in summary.models):
        return ""
    return (
        f"What each hyper-parameter did is not said: that takes {MIN_SETTINGS} drawn settings or "
        "more of a model."
    )


def by_class(summary: DataSummary) -> str:
    """The accuracies within classes."""
    return (
        "Per cent of images of each class that classifiers know: GAN-train's have seen nothing but "
        "the model's images, GAN-test's nothing but real ones and are asked about the model's. "
        "The first row is classifiers of real images asked about held-out real ones; the chosen "
        "setting's own run at its last checkpoint."
    )


def confusion(summary: DataSummary) -> str:
    """The confusion matrices."""
    return (
        "Rows are the classes asked for, columns what classifiers trained on real images take the "
        "images for, as shares of the row: off the diagonal the label or the image is wrong."
    )


def health_settings(summary: DataSummary) -> str:
    """Health against hyper-parameters."""
    return (
        "Each mark is one setting of the search, at its value of one hyper-parameter and the "
        "verdict on its health; marks of one verdict are moved apart a little. A full dot is "
        "healthy, an open one too early to tell, a diamond a failure that has a score, a cross one "
        "that has none. Models of which all settings fail, or none, are not drawn."
    )
