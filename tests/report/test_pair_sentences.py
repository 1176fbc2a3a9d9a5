"""Every form of the first sentence."""

from itertools import combinations

import pytest

from coequal.reporting.pair_sentences import verdict_in_words, within, worse_than
from coequal.statistics.looks import Look
from coequal.statistics.rules import Rules
from coequal.statistics.verdict import Defeat, PairResult, Verdict

TITLES = {
    "a": "WGAN",
    "b": "NS GAN",
    "c": "MM GAN",
    "d": "LSGAN",
    "e": "DRAGAN",
    "f": "WGAN-GP",
    "g": "VAE",
    "h": "BEGAN",
}


def pair(a, b, outcome="undecided") -> PairResult:
    return PairResult(a, b, 0, 20, 0.5, None, None, None, None, None, 0.01, outcome)


def made(
    names: str,
    better: str = "",
    equal: str = "",
    *,
    margin: float | None = 1.1,
    finished: bool = True,
    against: str = "",
) -> Verdict:
    """A verdict on models by their letters, best first: "ab ac" are pairs, the better one first.

    Pairs are of the model of the second letter, so that the better is sometimes the second; in a
    study of changes `against` lists them as the study does.
    """
    outcomes = {}
    for word in better.split():
        outcomes[word] = "better"
        outcomes[word[::-1]] = "worse"
    for word in equal.split():
        outcomes[word] = outcomes[word[::-1]] = "equivalent"
    listed = [tuple(word) for word in against.split()] or [
        (b, a) for a, b in combinations(names, 2)
    ]
    pairs = tuple(pair(a, b, outcomes.get(a + b, "undecided")) for a, b in listed)
    return Verdict(
        rules=Rules(2, (Look(20, 0.05),), margin=margin, pairs=tuple(listed) if against else None),
        order=tuple(names),
        pairs=pairs,
        beaten={p.loser: Defeat(p.winner, 0) for p in pairs if p.loser and p.winner},
        looks_done=1,
        training=() if finished else tuple(names),
        settings=dict.fromkeys(names, 20),
        method="",
        least_p=1e-6,
        threshold=0.05,
    )


@pytest.mark.parametrize(
    ("names", "better", "equal", "sentence"),
    [
        (
            "abcdefgh",
            "ah bh ch dh eh fh gh",
            "bc",
            "BEGAN is worse than the other seven; NS GAN and MM GAN are equivalent within 10 %; "
            "no other pair can be told apart.",
        ),
        ("abcdefgh", "", "all", "All eight models are equivalent within 10 %."),
        ("abc", "ab ac", "", "WGAN is better than the other two; no other pair can be told apart."),
        (
            "abc",
            "ab ac",
            "bc",
            "WGAN is better than the other two; NS GAN and MM GAN are equivalent within 10 %; "
            "every pair is decided.",
        ),
        (
            "abcdh",
            "ah bh ch dh",
            "ab ac ad bc bd cd",
            "BEGAN is worse than the other four; the other four are equivalent within 10 %; every "
            "pair is decided.",
        ),
        (
            "abch",
            "ah bh ch ac bc ab",
            "",
            "Every pair is decided, from best to worst: WGAN, NS GAN, MM GAN, BEGAN.",
        ),
        (
            "abc",
            "ab ac bc",
            "",
            "WGAN is better than the other two; MM GAN is worse than the other two; every pair is "
            "decided.",
        ),
        (
            "abcde",
            "ab ac ad ae bc be de dc",
            "bd ce",
            "WGAN is better than the other four; NS GAN and LSGAN are better than MM GAN and "
            "DRAGAN; NS GAN and LSGAN are equivalent within 10 %; MM GAN and DRAGAN are equivalent "
            "within 10 %; every pair is decided.",
        ),
        (
            "abcdef",
            "ab ac ad ae af be ce de bf cf df ef",
            "bc bd cd",
            "Every pair is decided, from best to worst: WGAN, NS GAN, MM GAN and LSGAN (equivalent "
            "within 10 %), DRAGAN, WGAN-GP.",
        ),
        (
            "abcdefgh",
            "ah bh ch dh eh fh",
            "",
            "BEGAN is worse than all others but VAE; no other pair can be told apart.",
        ),
        (
            "abcdefgh",
            "ah bh ch dh eh",
            "",
            "BEGAN is worse than all others but WGAN-GP and VAE; no other pair can be told apart.",
        ),
        (
            "abcdgh",
            "ag bg ah bh ch dh",
            "",
            "WGAN and NS GAN are better than VAE and BEGAN; BEGAN is worse than MM GAN and LSGAN; "
            "no other pair can be told apart.",
        ),
        (
            "abcd",
            "",
            "ab ac",
            "WGAN is equivalent within 10 % to NS GAN and to MM GAN; no other pair can be told "
            "apart.",
        ),
        (
            "abcdef",
            "",
            "ab ac bc cd ef",
            "WGAN, NS GAN and MM GAN are equivalent within 10 %; MM GAN and LSGAN are equivalent "
            "within 10 %; DRAGAN and WGAN-GP are equivalent within 10 %; no other pair can be told "
            "apart.",
        ),
        ("ab", "ba", "", "NS GAN is better than WGAN."),
        ("ab", "", "ab", "WGAN and NS GAN are equivalent within 10 %."),
        (
            "ab",
            "",
            "",
            "WGAN and NS GAN cannot be told apart, and they are not shown to be equivalent within "
            "10 %.",
        ),
        (
            "abcdefgh",
            "",
            "",
            "No two of the eight models can be told apart, and no two are shown to be equivalent "
            "within 10 %.",
        ),
    ],
)
def test_every_pair_is_in_the_sentence(names, better, equal, sentence):
    if equal == "all":
        equal = " ".join(map("".join, combinations(names, 2)))
    assert verdict_in_words(made(names, better, equal), TITLES.__getitem__) == sentence


@pytest.mark.parametrize(
    ("against", "better", "equal", "sentence"),
    [
        (
            "ba ca da ea ha",
            "ba ah",
            "ac",
            "Compared with WGAN, NS GAN is better, BEGAN is worse, MM GAN is equivalent within "
            "10 %, and nothing is decided about LSGAN and DRAGAN.",
        ),
        (
            "ba ca da ea fa ga ha",
            "ba ca",
            "",
            "Compared with WGAN, NS GAN and MM GAN are better, and nothing is decided about the "
            "other 5.",
        ),
        (
            "ba ca",
            "",
            "",
            "Neither of the two models compared with WGAN is shown to be better, worse or "
            "equivalent within 10 %.",
        ),
        (
            "ba ca da",
            "",
            "ba ca da",
            "All three models compared with WGAN are equivalent within 10 %.",
        ),
        ("ba ca da", "ab ac ad", "", "All three models compared with WGAN are worse."),
        ("ba", "ba", "", "NS GAN is better than WGAN."),
        ("ba", "", "ba", "NS GAN and WGAN are equivalent within 10 %."),
        (
            "ba",
            "",
            "",
            "NS GAN and WGAN cannot be told apart, and they are not shown to be equivalent within "
            "10 %.",
        ),
        (
            "ba ca ef gf",
            "ab ac ge",
            "ef",
            "Compared with WGAN, NS GAN and MM GAN are worse; compared with WGAN-GP, DRAGAN is "
            "equivalent within 10 %, and nothing is decided about VAE.",
        ),
    ],
)
def test_changes_are_compared_with_their_base(against, better, equal, sentence):
    verdict = made("abcdefgh", better, equal, against=against)
    assert verdict_in_words(verdict, TITLES.__getitem__) == sentence


def test_without_a_margin_nothing_is_said_of_equivalence():
    none = made("abc", margin=None)
    assert verdict_in_words(none, TITLES.__getitem__) == (
        "No two of the three models can be told apart."
    )
    two = made("ab", margin=None)
    assert verdict_in_words(two, TITLES.__getitem__) == ("WGAN and NS GAN cannot be told apart.")
    changes = made("ab", margin=None, against="ba")
    assert verdict_in_words(changes, TITLES.__getitem__) == (
        "NS GAN and WGAN cannot be told apart."
    )


def test_an_unfinished_study_has_no_last_word():
    verdict = made("abc", "ac bc", finished=False)
    assert verdict_in_words(verdict, TITLES.__getitem__) == (
        "So far: MM GAN is worse than the other two; no other pair is decided yet."
    )
    assert verdict_in_words(made("abc", finished=False), TITLES.__getitem__).startswith(
        "So far: no two of the three"
    )


def test_a_title_keeps_its_first_letter():
    verdict = made("ab", "ab")
    assert verdict_in_words(verdict, {"a": "my_gan", "b": "VAE"}.__getitem__) == (
        "my_gan is better than VAE."
    )


def test_every_loss_is_said_once():
    losses = [("a", "c"), ("b", "c"), ("a", "d")]
    assert worse_than(losses, "abcd", TITLES.__getitem__) == [
        "WGAN is better than MM GAN and LSGAN",
        "NS GAN is better than MM GAN",
    ]


def test_the_margin_is_a_percentage_or_a_difference():
    looks = (Look(20, 0.05),)
    assert within(Rules(1, looks, margin=1.125)) == "within 12.5 %"
    assert within(Rules(1, looks, margin=0.02, scale="linear")) == "within 0.02"
    assert within(Rules(1, looks)) == ""
