"""A figure at the width of a paper's column: the same function, narrower, with letters that are
still read."""

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from coequal.analysis.summary import summarise
from coequal.reporting.evidence._order import ON_DATA
from coequal.reporting.style import as_pdf, house_style

COLUMN_INCHES, COLUMN_POINTS = 3.3, 8.0


def sizes_of(figure: Figure) -> set[float]:
    as_pdf(figure)  # lays it out, which makes its ticks
    texts = [t for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]
    return {round(t.get_fontsize(), 2) for t in texts}


@pytest.mark.parametrize("name", ["distribution", "reruns", "best_of_n", "learning", "bands"])
def test_a_figure_is_drawn_at_the_width_that_is_asked_for(everything, name: str):
    evidence = next(piece for piece in ON_DATA if piece.name == name)
    assert evidence.figure is not None
    summary = summarise(everything)[0]
    with house_style():
        page = evidence.figure(summary)
    with house_style(COLUMN_INCHES, COLUMN_POINTS):
        column = evidence.figure(summary)
        assert page is not None
        assert column is not None
        assert (page.get_figwidth(), column.get_figwidth()) == (10.2, COLUMN_INCHES)
        # Small letters are 0.833 of the others: 6.66 of 8 points.
        assert sizes_of(column) <= {8.0, 6.66}
