"""How every figure looks, and how it becomes bytes: the same results give the same bytes."""

import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from scipy.optimize import isotonic_regression

from coequal.reporting.marks import attributes, plain
from coequal.reporting.svg_bytes import numbered, slim

INK, MUTED, FAINT = "#1d2430", "#5f6875", "#d9dde3"
GRID, BAND, PAPER = "#eceef1", "#eef0f3", "#ffffff"
GOOD, BAD = "#1a7f5a", "#b3541e"
"""What is shown to be better, and to be worse."""
ACCENT = "#0b5c8e"

COLOURS = (
    "#4774ff", "#b83703", "#1e835e", "#a635a2", "#eaad16", "#460099",
    "#4aa1b2", "#6c383d", "#8e9448", "#392a00", "#cc7584", "#00ceb5",
)  # fmt: skip
"""Found by search: any two differ by 11 or more (CIEDE2000), also as eyes without one kind of cone
see them (Machado et al. 2009), and from the grey of models without a colour, too."""
ON_DARK = (
    "#2caaff", "#ff9206", "#089776", "#ac6aa7", "#ffee2e", "#6674f2",
    "#01e0ff", "#e04e67", "#b6b977", "#918100", "#daa6a5", "#bef6d1",
)  # fmt: skip
"""These hues on a dark page, told apart as well."""
MARKERS = ("o", "s", "^", "D", "v", "P", "p", "h")

PAGE_INCHES, PAGE_POINTS = 10.2, 9.0
"""Width of a figure on the page, and size of its letters; its small ones have 7.5 points."""

STYLE = {
    "font.family": "DejaVu Sans",
    "axes.titlesize": "medium",
    "figure.labelsize": "medium",
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "coequal",
    "pdf.fonttype": 42,
}


_width = ContextVar("width of figures in inches", default=PAGE_INCHES)


@contextmanager
def house_style(inches: float = PAGE_INCHES, points: float = PAGE_POINTS) -> Iterator[None]:
    """Draw in the report's own style, whatever the user's matplotlib settings are.

    Args:
        inches: width of the figures: that of the page, of a paper's column or of its text.
        points: size of their letters.
    """
    token = _width.set(inches)
    try:
        with matplotlib.style.context(["default", STYLE | {"font.size": points}]):
            yield
    finally:
        _width.reset(token)


def figure_inches() -> float:
    """The width of a figure that is drawn now."""
    return _width.get()


def figure_size(height: float) -> tuple[float, float]:
    """Width and height of a figure that is drawn now, in inches.

    Args:
        height: that it has on the page. A narrower figure is lower by the square root, so that its
            axes stay wider than high.
    """
    width = figure_inches()
    return width, height * math.sqrt(width / PAGE_INCHES)


def colour(hue: int | None) -> str:
    """The colour of a hue: a model's is the same in every figure; without a hue it is grey."""
    return MUTED if hue is None else COLOURS[hue % len(COLOURS)]


def marker(index: int) -> str:
    """A model's marker; models that share a colour have different ones."""
    return MARKERS[(index + index // len(COLOURS)) % len(MARKERS)]


def as_svg(figure: Figure) -> bytes:
    """The figure as an SVG file, without a date, the same on every processor."""
    return plain(as_marked_svg(figure))


def as_marked_svg(figure: Figure) -> bytes:
    """The same with what its marks show, for `inline`; see `coequal.reporting.marks`."""
    svg = _bytes(figure, "svg", {"Date": None, "Creator": None})
    return numbered(slim(svg))


def as_pdf(figure: Figure) -> bytes:
    """The figure as a PDF file, without a date."""
    return _bytes(figure, "pdf", {"CreationDate": None, "Creator": None, "Producer": None})


def variables(colours: Sequence[str]) -> str:
    """The models' colours as CSS variables: "--m0: #0072b2; --m1: ..."."""
    return " ".join(f"--m{k}: {value.lower()};" for k, value in enumerate(colours))


def variable(hue: int | None) -> str:
    """The colour of a hue on the page, light or dark; grey without one."""
    return "var(--muted)" if hue is None else f"var(--m{hue % len(COLOURS)})"


def inline(svg: bytes, name: str) -> str:
    """An SVG file as an element of a page: no prologue, metadata or fixed size, ids of its own, and
    the page's colours, so that it follows it from light to dark."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = attributes(text)
    # The page's own background shows through: it marks where a figure is cut off.
    text = re.sub(rf'(<g id="patch_\d+">\s*<path [^>]*style="fill: ){PAPER}', r"\1none", text)
    text = re.sub(r'(<g) id="[^"]*"', r"\1", text)  # nothing refers to a group
    text = re.sub(r' transform="rotate\(-?0 [^"]*"', "", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    return re.sub(r"(?<=: )#[0-9a-f]{6}", lambda found: _PAGE.get(found[0], found[0]), text)


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions moved as little as needed to be `gap` apart, in [low, high] if they fit."""
    order = np.argsort(positions, kind="stable")
    steps = gap * np.arange(len(order))
    # `gap` apart and rising: what is left without the steps must not fall.
    wished = np.clip(np.asarray(positions, float)[order], low, high) - steps
    highest = max(low, high - gap * (len(order) - 1))
    moved = np.empty(len(order))
    moved[order] = np.clip(isotonic_regression(wished).x, low, highest) + steps
    return [float(position) for position in moved]


def wants_log(values: Sequence[float]) -> bool:
    """Whether a logarithmic axis serves these values: all positive, and a factor of 8 apart."""
    return bool(values) and min(values) > 0 and max(values) / min(values) >= 8


def plain_ticks(axes: Axes, log: bool) -> None:
    """Write the y axis in plain numbers, also where it is logarithmic."""

    if not log:
        return
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=20))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


_PAGE = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    FAINT: "var(--faint)",
    GRID: "var(--grid)",
    BAND: "var(--soft)",
    PAPER: "var(--card)",
    GOOD: "var(--good)",
    BAD: "var(--bad)",
    ACCENT: "var(--accent)",
    **{value.lower(): variable(k) for k, value in enumerate(COLOURS)},
}
"""What a colour of a figure is on the page."""


def _bytes(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=kind, metadata=metadata)
    return file.getvalue()
