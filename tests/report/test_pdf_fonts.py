"""Letters in the report's PDFs, which other tests have as outlines (see `conftest.py`)."""

from matplotlib.figure import Figure

from coequal.reporting.style import STYLE, as_pdf, house_style


def test_letters_in_pdfs_are_truetype_as_journals_ask(pdf_fonts, monkeypatch):
    def drawn() -> bytes:
        with house_style():
            figure = Figure()
            figure.text(0.5, 0.5, "FD")
            return as_pdf(figure)

    assert b"/FontFile2" not in drawn()
    monkeypatch.setitem(STYLE, "pdf.fonttype", pdf_fonts)
    assert b"/FontFile2" in drawn()
