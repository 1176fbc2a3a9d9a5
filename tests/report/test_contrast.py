"""Text of the pages can be read in both colour schemes: WCAG 2.2, 1.4.3, a contrast of 4.5 to 1."""

import itertools
import re

import pytest

from coequal.reporting.style import COLOURS, ON_DARK, variables
from coequal.reporting.templating import template

SCHEMES = ("light", "dark")
LARGEST_SHADE = 0.6  # of a cell's tone, in templates/macros.html.jinja

Rgb = tuple[float, ...]


def palettes() -> dict[str, dict[str, Rgb]]:
    """The colours of the style sheet by scheme and name."""
    css = template("style.css.jinja").render(
        on_light=variables(COLOURS), on_dark=variables(ON_DARK)
    )
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]
    found = {}
    for scheme, rules in zip(SCHEMES, (light, dark), strict=True):
        rules = re.findall(r"--(\w[\w-]*): #([0-9a-f]{3,6});", rules)
        found[scheme] = {name: rgb(value) for name, value in rules}
    return found


def rgb(value: str) -> Rgb:
    digits = value if len(value) == 6 else "".join(2 * digit for digit in value)
    return tuple(int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))


def contrast(a: Rgb, b: Rgb) -> float:
    def luminance(colour: Rgb) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def mixed(tone: Rgb, ground: Rgb, share: float) -> Rgb:
    return tuple(share * t + (1 - share) * g for t, g in zip(tone, ground, strict=True))


def test_the_contrast_of_known_pairs():
    assert contrast(rgb("fff"), rgb("000")) == pytest.approx(21)
    assert contrast(rgb("777777"), rgb("fff")) == pytest.approx(4.48, abs=0.01)  # just too little


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_stands_out_from_every_ground(scheme: str):
    known = palettes()[scheme]
    texts, grounds = ("ink", "muted", "accent"), ("paper", "card", "soft")
    pairs = [*itertools.product(texts, grounds), ("warn", "warn-soft"), ("warn", "card")]
    found = {(a, b): round(contrast(known[a], known[b]), 2) for a, b in pairs}
    assert {pair: value for pair, value in found.items() if value < 4.5} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_stands_out_from_shaded_cells(scheme: str):
    known = palettes()[scheme]
    for tone in ("good", "bad"):
        ground = mixed(known[tone], known["card"], LARGEST_SHADE)
        assert contrast(known["ink"], ground) >= 4.5
