"""Looking more than once, dropping models, changing the looks, and looking at any time.

All models are identical, and an error of the whole study is any pair that ends as better or worse
at any look. A beaten model is dropped, and its rivals continue. "Five looks" are at 20, 40, 60, 80
and 100 settings, "twelve" at equal steps from 20 to 100. "Changed": looks at 20 and 40 were
declared; after the first, because the clearest pair seemed promising (|z| above 1), three more were
added up to 100, with what was left of the error. "Extended": both looks were taken and nothing was
left to spend, but settings were added all the same. Without a rule for looking, the error of five
looks is 11 to 15 % (naive: each at 5 %).
"""

from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import Model, Runs, draw

from coequal.statistics.anytime import sign_evidence
from coequal.statistics.looks import Spending, spend
from coequal.statistics.verdict import verdict
from validation.common import Row
from validation.simulated import LEVEL, error_row, rules, search_runs, verdicts

LOOKED = "Declared looks may be taken, and beaten models dropped, at an error of 5 % in all"
GROWN = "A study may grow after a look, also because of what was seen"
NAIVE = "For comparison, not done: five looks, each at 5 %"
ANY = "The evidence between looks may be watched after every setting"
PLACE = 4
CLAIMS = {
    LOOKED: "2, 4 and 8 identical models; 5 and 12 looks; both spending functions",
    GROWN: "2 and 4 identical models; looks added after the first look, and after the last",
    ANY: "2 and 8 identical models, looked at after each of 100 settings, level / pairs",
    NAIVE: "2 identical models",
}
FIVE = (20, 40, 60, 80, 100)
TWELVE = tuple(round(20 + 80 * i / 11) for i in range(12))
SPENDINGS: tuple[Spending, ...] = ("obrien_fleming", "pocock")


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 500
    for spending in SPENDINGS:
        for looks in (FIVE, TWELVE):
            for count, correlation in ((2, 0.0), (2, -0.6)):
                yield _looked(count, looks, spending, correlation, studies)
        yield _looked(4, TWELVE, spending, 0.6, studies // 4)
        yield _looked(8, FIVE, spending, 0.6, studies // 5)
    for count in (2, 4):
        yield from _grown(count, studies // (1 if count == 2 else 3))
    for count, correlation in ((2, 0.0), (2, -0.6), (8, 0.6)):
        yield _any_time(count, correlation, 2 * studies)
    yield _naive(studies)


def _looked(
    count: int, looks: tuple[int, ...], spending: Spending, correlation: float, studies: int
) -> Row:
    declared = rules(2, looks, spending=spending)
    rng = np.random.default_rng([41, count, len(looks), len(spending)])
    errors = [
        any(pair.loser for pair in found.pairs)
        for found in verdicts([Model()] * count, declared, studies, rng, correlation)
    ]
    about = f"{len(looks)} looks, {spending}, n 2"
    about += f", correlation {correlation:g}" if correlation else ""
    return error_row(f"{count} identical models: any separated", about, errors, claim=LOOKED)


def _grown(count: int, studies: int) -> Iterator[Row]:
    """Studies that are changed once somebody has seen the first look, or the last."""
    rng = np.random.default_rng([42, count])
    changed, extended = [], []
    short = rules(2, (20, 40))
    longer = rules(2, spend(FIVE, done=short.looks[:1]))
    after_all = rules(2, spend(FIVE, done=short.looks))
    for _ in range(studies):
        drawn = draw([Model()] * count, (FIVE[-1],), rng)
        searches = {str(i): search_runs(runs) for i, runs in enumerate(drawn)}
        first = verdict(searches, rules(2, short.looks[:1]))
        promising = max(abs(pair.z or 0.0) for pair in first.pairs) > 1
        found = verdict(searches, longer if promising else short)
        changed.append(any(pair.loser for pair in found.pairs))
        found = verdict(searches, after_all)
        extended.append(any(pair.loser for pair in found.pairs))
    name = f"{count} identical models: any separated"
    yield error_row(name, "looks changed after the first look", changed, claim=GROWN)
    yield error_row(name, "settings added after the last look", extended, claim=GROWN)


def _any_time(count: int, correlation: float, studies: int) -> Row:
    rng = np.random.default_rng([43, count])
    pairs = [(i, j) for j in range(count) for i in range(j)]
    errors = []
    for _ in range(studies):
        drawn = draw([Model()] * count, (FIVE[-1],), rng, correlation=correlation)
        # `e_value` is the largest so far: what somebody who looks after every setting sees at best.
        errors.append(
            any(
                sign_evidence(drawn[i].test, drawn[j].test).shown(LEVEL / len(pairs))
                for i, j in pairs
            )
        )
    about = "after every setting up to 100, n 1"
    about += f", correlation {correlation:g}" if correlation else ""
    return error_row(f"{count} identical models: any shown", about, errors, claim=ANY)


def _naive(studies: int) -> Row:
    """What the rule is for: each look at 5 %."""
    rng = np.random.default_rng(44)
    errors = []
    for _ in range(studies):
        drawn = draw([Model()] * 2, (FIVE[-1],), rng)
        seen = [
            {str(i): search_runs(Runs(*(x[:look] for x in runs))) for i, runs in enumerate(drawn)}
            for look in FIVE
        ]
        found = [verdict(runs, rules(2, [look])) for runs, look in zip(seen, FIVE, strict=True)]
        errors.append(any(v.pairs[0].loser for v in found))
    name, about = "2 identical models: any separated", "5 looks, each at 5 %"
    error = float(np.mean(errors))
    return Row(name, about, error, LEVEL, 1.0, studies, "for comparison", claim=NAIVE)
