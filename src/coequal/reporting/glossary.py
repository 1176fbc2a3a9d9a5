"""The words of the report and what they mean, and links to them from where they are used."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Term:
    """A word that the report explains.

    Attributes:
        anchor: of links to it, after "word-".
        name: as the glossary lists it.
        meaning: what it means.
        use: how a text uses it, as a regular expression; empty for a word that is not linked.
    """

    anchor: str
    name: str
    meaning: str
    use: str = ""


TERMS = (
    Term(
        "setting",
        "setting",
        "One choice of all hyperparameters of a model. Settings 1, 2, ... are random draws; "
        "setting 0 is the one of the model's authors and stands apart.",
        r"settings?",
    ),
    Term(
        "budget",
        "search, B, budget n",
        "B random settings of each model were trained. The budget n is the number of settings that "
        'a search may try. "Best of n" is what a search with that budget would have found; a tuned '
        "model is the setting that such a search chooses.",
        r"[Bb]est of n|n/B|n random settings|tuned models?",
    ),
    Term(
        "validation",
        "validation, test",
        "Two separate sets of held-out real images. Settings are chosen on the first and reported "
        "on the second.",
        r"validation",
    ),
    Term(
        "re-run",
        "re-run",
        "The chosen setting, trained again with a fresh random seed that played no part in the "
        "choice.",
        r"[Rr]e-runs?",
    ),
    Term(
        "better",
        "better, worse",
        "The probability that one tuned model beats the other differs significantly from one half.",
    ),
    Term(
        "equivalent",
        "equivalent",
        "The joint interval of the ratio (or difference) of their typical scores lies within the "
        "margin that the study declares.",
        r"[Ee]quivalent",
    ),
    Term(
        "look",
        "look",
        "A number of settings, declared before the study began, at which pairs are judged. The "
        "error of 5 % is divided among the looks.",
    ),
    Term(
        "joint",
        "joint interval",
        "Taken together, the joint intervals of all pairs and looks contain the true values in at "
        "least 95 of 100 studies.",
        r"jointly|joint",
    ),
    Term(
        "interval",
        "95 % interval",
        "An interval that contains the true value in at least (about) 95 of 100 such studies. The "
        "text beside it says what it is over: the draw of settings, or seeds.",
    ),
    Term(
        "iqm",
        "IQM",
        "Interquartile mean, the mean of the middle half of the runs.",
        r"IQM|[Ii]nterquartile means?",
    ),
    Term(
        "cap",
        "cap",
        "The score of uniform noise. A failed run counts as the cap in means.",
        r"cap",
    ),
    Term("floor", "floor", "The score of held-out real images.", r"floor"),
    Term(
        "oracle",
        "oracle",
        "The best test value over all settings and checkpoints. It uses the test split, so no "
        "honest search can achieve it.",
        r"[Oo]racle",
    ),
)

_USES = re.compile(
    "|".join(
        rf"(?<![\w-])(?P<{t.anchor.replace('-', '_')}>{t.use})(?![\w-])" for t in TERMS if t.use
    )
)


def glossed(text: str) -> Markup:
    """A text in which the first use of each word of the glossary is a link to it."""
    seen = set[str]()
    parts, end = [], 0
    for match in _USES.finditer(text):
        word = match.lastgroup
        if word is None or word in seen:
            continue
        seen.add(word)
        anchor = f"word-{word.replace('_', '-')}"
        link = Markup('<a class="word" href="#{}">{}</a>').format(anchor, match[0])
        parts += [escape(text[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])
