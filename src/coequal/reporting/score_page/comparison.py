"""Pairs of scores in words: better, equal within error, or not comparable."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coequal.formatting import listed, number, p_value, with_error

NAMED = 3  # numbers that a sentence names


class PairRow(NamedTuple):
    """One number of two sets.

    Attributes:
        label: name of the number.
        first: value of the one.
        second: value of the other.
        difference: second - first, with its error.
        p: the p-value, corrected where there are several pairs; empty if there is none.
        words: what follows from it.
        winner: the set that is shown to be better; empty if none is.
    """

    label: str
    first: str
    second: str
    difference: str
    p: str
    words: str
    winner: str


class PairTable(NamedTuple):
    """Two sets beside each other.

    Attributes:
        first: name of the one.
        second: name of the other.
        rows: a row for each number that both have.
        summary: a sentence.
        notes: what else to know of the two.
        refusal: why they can't be compared, in words; empty if they can.
    """

    first: str
    second: str
    rows: list[PairRow]
    summary: str
    notes: tuple[str, ...] = ()
    refusal: str = ""


def pair_table(
    first: str, second: str, compared: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
) -> PairTable:
    """What `compare` gave, in words.

    Args:
        first: name of the one.
        second: name of the other.
        compared: the record of a pair; with `p_corrected` that counts.
        infos: records of the numbers, for their names and errors.
    """
    names = {"first": first, "second": second}
    rows = [
        _row(infos[name], name, row, names, compared["same_fakes"])
        for name, row in compared["metrics"].items()
    ]
    return PairTable(
        first, second, rows, _summary(rows, names, compared), tuple(compared.get("notes", ()))
    )


def not_comparable(first: str, second: str, reason: str) -> PairTable:
    """Two scores that were measured differently.

    Args:
        first: name of the one.
        second: name of the other.
        reason: the differences, in words.
    """
    return PairTable(first, second, [], f"{first} and {second} are not comparable.", refusal=reason)


def _row(
    info: Mapping[str, Any],
    name: str,
    row: Mapping[str, Any],
    names: Mapping[str, str],
    same: bool,
) -> PairRow:
    p = row.get("p_corrected", row["p_value"])
    first, second = (number(row[side], info["standard_error"]) for side in ("first", "second"))
    return PairRow(
        info.get("label") or name.replace("_", " "),
        first,
        second,
        with_error(row["difference"], row["standard_error"]),
        "" if p is None else p_value(p),
        _words(row, names, same),
        "" if row["shown"] is None else names[row["shown"]],
    )


def _words(row: Mapping[str, Any], names: Mapping[str, str], same: bool) -> str:
    if row["shown"] is not None:
        return f"{names[row['shown']]} is better"
    if row["difference"] is None:
        return "not measured for both"
    if same or row["better"] == "equal":
        return "equal"
    if row["p_value"] is None:
        return "no error is known, so no difference can be shown"
    return "equal within error"


def _first_of(labels: list[str]) -> str:
    """Names as a list, of which no more than the first few are told."""
    if len(labels) <= NAMED:
        return listed(labels)
    return f"{', '.join(labels[:NAMED])} and {len(labels) - NAMED} more"


def best_in_words(label: str, pairs: Sequence[PairTable]) -> str:
    """Which of several sets are shown to be worse than another, by one number.

    Args:
        label: name of the number.
        pairs: every two sets.
    """
    names = dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second))
    able = [pair for pair in pairs if not pair.refusal]
    beaten = {
        pair.second if row.winner == pair.first else pair.first
        for pair in able
        for row in pair.rows
        if row.label == label and row.winner
    }
    left, worse = ([name for name in names if (name in beaten) == end] for end in (False, True))
    are = "is" if len(left) == 1 else "are"
    told = f"{label}: {listed(left)} {are} not shown to be worse than any other"
    if worse:
        told += f"; {listed(worse)} {'is' if len(worse) == 1 else 'are'}"
    refused = len(pairs) - len(able)
    return f"{told}." + (f" {refused} of {len(pairs)} pairs are not comparable." if refused else "")


def _summary(rows: list[PairRow], names: Mapping[str, str], compared: Mapping[str, Any]) -> str:
    """Who is better in what, in one sentence."""
    if compared["same_fakes"]:
        return f"{names['first']} and {names['second']} are the same images."
    won = {name: [row.label for row in rows if row.winner == name] for name in names.values()}
    told = [f"{name} is better in {_first_of(labels)}" for name, labels in won.items() if labels]
    if not told:
        return f"{names['first']} and {names['second']} are equal within error in every number."
    others = sum(not row.winner for row in rows)
    rest = f"; {others} of {len(rows)} numbers show no difference" if others else ""
    return f"{'; '.join(told)}{rest}."
