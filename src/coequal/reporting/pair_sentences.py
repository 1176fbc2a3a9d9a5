"""The outcome of every pair of a study in one sentence, with pairs of one outcome put together."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from coequal.formatting import capital, count, count_in_words, listed
from coequal.statistics.rules import Rules
from coequal.statistics.verdict import Outcome, PairResult, Verdict

Title = Callable[[str], str]
"""Gives the title of a model by its name."""
Edge = tuple[str, str]
MIN_ORDER = 4
"""So many places of models, all of them decided, are listed as an order."""
MAX_NAMES = 4
"""A longer list of models of which nothing is decided is given as a number."""


def verdict_in_words(verdict: Verdict, title: Title) -> str:
    """Say in one sentence what was decided of every pair.

    Args:
        verdict: of a study with at least one pair.
        title: gives the title of a model by its name.

    Returns:
        The sentence: complete if no look is left, else beginning with "So far:".
    """
    if verdict.rules.pairs is None:
        text = _of_all_pairs(verdict, title)
    else:
        text = "; ".join(_of_one_base(verdict, title, base) for base in _bases(verdict.pairs))
    if not verdict.finished:
        return f"So far: {text}."
    named = any(text.startswith(title(name)) for name in verdict.order)
    return f"{text if named else capital(text)}."


def within(rules: Rules) -> str:
    """The margin of equivalence: "within 10 %"; empty if none was declared."""
    if rules.margin is None:
        return ""
    if rules.scale == "log":
        return f"within {100 * (rules.margin - 1):.3g} %"
    return f"within {rules.margin:.3g}"


def worse_than(losses: Iterable[Edge], names: Sequence[str], title: Title) -> list[str]:
    """Say which models are worse than which, in as few clauses as are found easily.

    Args:
        losses: (winner, loser) of each pair.
        names: of all models, in the order in which they are listed.
        title: gives the title of a model by its name.
    """
    return [text for text, _ in _worse_than(losses, names, title)]


def _of_all_pairs(verdict: Verdict, title: Title) -> str:
    pairs, names = verdict.pairs, verdict.order
    models = count_in_words(len(names))
    if not any(pair.decided for pair in pairs):
        equal = _or_equivalent(verdict.rules)
        if len(pairs) == 1:
            a, b = map(title, names)
            none = f"{a} and {b} cannot be told apart"
            return f"{none}, and they are not shown to be {equal}" if equal else none
        none = f"no two of the {models} models can be told apart"
        return f"{none}, and no two are shown to be {equal}" if equal else none
    if order := _complete_order(verdict, title):
        return order
    losses = [(p.winner, p.loser) for p in pairs if p.winner is not None and p.loser is not None]
    clauses = _worse_than(losses, names, title)
    equal_pairs = [(pair.a, pair.b) for pair in pairs if pair.outcome == "equivalent"]
    groups = _equivalent(equal_pairs, names, [others for _, others in clauses], verdict, title)
    texts = [*(text for text, _ in clauses), *groups]
    if not all(pair.decided for pair in pairs):
        rest = "can be told apart" if verdict.finished else "is decided yet"
        texts.append(f"no other pair {rest}")
    elif len(texts) > 1:
        texts.append("every pair is decided")
    return "; ".join(texts)


def _complete_order(verdict: Verdict, title: Title) -> str:
    """All models from best to worst, where every pair is decided and there are enough of them."""
    names, pairs = verdict.order, verdict.pairs
    if len(names) < MIN_ORDER or not all(pair.decided for pair in pairs):
        return ""
    wins = {name: sum(pair.winner == name for pair in pairs) for name in names}
    ranks = [[n for n in names if wins[n] == k] for k in sorted(set(wins.values()), reverse=True)]
    rank = {name: k for k, group in enumerate(ranks) for name in group}
    in_order = all(
        rank[pair.winner] < rank[pair.loser]
        if pair.winner is not None and pair.loser is not None
        else rank[pair.a] == rank[pair.b]
        for pair in pairs
    )
    if not in_order or len(ranks) < MIN_ORDER:
        return ""
    texts = [
        listed(list(map(title, group)))
        + (f" ({_or_equivalent(verdict.rules)})" if len(group) > 1 else "")
        for group in ranks
    ]
    return f"every pair is decided, from best to worst: {', '.join(texts)}"


def _of_one_base(verdict: Verdict, title: Title, base: str) -> str:
    """What was decided of the models that are compared with this one alone."""
    arms = {pair.a: pair for pair in verdict.pairs if pair.b == base}
    names = [name for name in verdict.order if name in arms]
    equal = _or_equivalent(verdict.rules)
    words: dict[Outcome, str] = {"better": "better", "worse": "worse", "equivalent": equal}
    outcomes: tuple[Outcome, ...] = (*words, "undecided")
    by_outcome = {
        outcome: [name for name in names if arms[name].outcome == outcome] for outcome in outcomes
    }
    open_names = by_outcome.pop("undecided")
    if len(names) == 1 and not open_names:
        arm, outcome = names[0], arms[names[0]].outcome
        if outcome == "equivalent":
            return f"{title(arm)} and {title(base)} are {equal}"
        return f"{title(arm)} is {outcome} than {title(base)}"
    if len(open_names) == len(names):
        shown = f"better, worse or {equal}" if equal else "better or worse"
        if len(names) == 1:
            none = f"{title(names[0])} and {title(base)} cannot be told apart"
            return f"{none}, and they are not shown to be {equal}" if equal else none
        models = count_in_words(len(names))
        none = "neither" if len(names) == 2 else "none"
        return f"{none} of the {models} models compared with {title(base)} is shown to be {shown}"
    parts = [
        f"{listed(list(map(title, found)))} {be(found)} {words[outcome]}"
        for outcome, found in by_outcome.items()
        if found
    ]
    if len(parts) == 1 and not open_names and len(names) > 2:
        shown = next(words[outcome] for outcome, found in by_outcome.items() if found)
        models = count_in_words(len(names))
        return f"all {models} models compared with {title(base)} are {shown}"
    if open_names:
        few = len(open_names) <= MAX_NAMES
        about = listed(list(map(title, open_names))) if few else f"the other {len(open_names)}"
        parts.append(f"nothing is decided about {about}")
    return f"compared with {title(base)}, {_clauses(parts)}"


def _worse_than(
    losses: Iterable[Edge], names: Sequence[str], title: Title
) -> list[tuple[str, list[str]]]:
    """Clauses, and of each the models that it called "the other ..."; empty if it did not.

    The pairs are covered by groups of losers each of which lost to all of a group of winners: first
    by models that lost to all others or beat them, then again and again by the group that covers
    most of what is left, without those of whom it says nothing new.
    """
    left, everybody = set(losses), set(names)
    winners = {name: {w for w, loser in left if loser == name} for name in names}
    losers = {name: {loser for w, loser in left if w == name} for name in names}
    groups = []
    for name in names:
        if losers[name]:
            below = losers[name]
            groups.append(({n for n in names if losers[n] >= below}, below))
        if winners[name]:
            above = winners[name]
            groups.append((above, {n for n in names if winners[n] >= above}))

    def one_against_all(group: tuple[set[str], set[str]]) -> bool:
        return group[0] | group[1] == everybody and min(map(len, group)) == 1

    def new(group: tuple[set[str], set[str]]) -> int:
        return len({(a, b) for a in group[0] for b in group[1]} & left)

    clauses = []
    while left:
        above, below = max(groups, key=lambda g: (bool(new(g)) and one_against_all(g), new(g)))
        if not one_against_all((above, below)):
            below = {b for b in below if any((a, b) in left for a in above)}
            above = {a for a in above if any((a, b) in left for b in below)}
        left -= {(a, b) for a in above for b in below}
        subject, rest, word = below, above, "worse"
        if len(above) <= len(below):
            subject, rest, word = above, below, "better"
        who = [name for name in names if name in subject]
        than = [name for name in names if name in rest]
        text, all_others = _others(than, names, who, title)
        clauses.append(
            (
                f"{listed(list(map(title, who)))} {be(who)} {word} than {text}",
                than if all_others else [],
            )
        )
    return clauses


def _others(
    than: Sequence[str], names: Sequence[str], who: Sequence[str], title: Title
) -> tuple[str, bool]:
    """The models that others are compared with, and whether these are all others."""
    missing = [name for name in names if name not in than and name not in who]
    if not missing and len(than) > 1:
        return f"the other {count_in_words(len(than))}", True
    if missing and len(than) > 2 * len(missing) + (len(missing) == 1):
        return f"all others but {listed(list(map(title, missing)))}", False
    return listed(list(map(title, than))), False


def _equivalent(
    pairs: Sequence[Edge],
    names: Sequence[str],
    named: Sequence[list[str]],
    verdict: Verdict,
    title: Title,
) -> list[str]:
    """Clauses about equivalent models: groups of which every two are, then what is left by its
    model with the most partners."""
    equal = {frozenset(pair) for pair in pairs}
    left, clauses, margin = set(equal), [], within(verdict.rules)
    while left:
        groups = [_grown(pair, names, equal) for pair in sorted(map(sorted, left))]
        group = max(groups, key=lambda g: sum(frozenset(p) in left for p in combinations(g, 2)))
        if len(group) < 3:
            break
        left -= {frozenset(pair) for pair in combinations(group, 2)}
        if len(group) == len(names):
            who = f"all {count_in_words(len(group))} models"
        elif group in named:
            who = f"the other {count_in_words(len(group))}"
        else:
            who = listed(list(map(title, group)))
        clauses.append(f"{who} are equivalent {margin}")
    while left:
        hub = max(names, key=lambda name: sum(name in pair for pair in left))
        partners = [name for name in names if name != hub and frozenset({hub, name}) in left]
        left -= {frozenset({hub, name}) for name in partners}
        if len(partners) == 1:
            both = [name for name in names if name in (hub, *partners)]
            clauses.append(f"{listed(list(map(title, both)))} are equivalent {margin}")
        else:
            to = listed([f"to {title(name)}" for name in partners])
            clauses.append(f"{title(hub)} is equivalent {margin} {to}")
    return clauses


def _grown(pair: Iterable[str], names: Sequence[str], equal: set[frozenset[str]]) -> list[str]:
    """The pair, and whatever is equivalent to all that is in the group, in the order of `names`."""
    group = set(pair)
    for name in names:
        if name not in group and all(frozenset({name, other}) in equal for other in group):
            group.add(name)
    return [name for name in names if name in group]


def _bases(pairs: Iterable[PairResult]) -> list[str]:
    return list(dict.fromkeys(pair.b for pair in pairs))


def _or_equivalent(rules: Rules) -> str:
    return f"equivalent {within(rules)}" if rules.margin is not None else ""


def _clauses(parts: Sequence[str]) -> str:
    """Clauses as one, with commas, as each may hold an "and" of its own."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"


def settings_each(verdict: Verdict) -> str:
    """With how many settings of each model the verdict was reached: "20 to 24 settings each"."""
    counts = sorted(set(verdict.settings.values()))
    if len(counts) == 1:
        return f"{count(counts[0], 'setting')} each"
    return f"{counts[0]} to {counts[-1]} settings each"


def be(names: Sequence[str]) -> str:
    """The verb of one name, or of several."""
    return "is" if len(names) == 1 else "are"
