"""Tables for LaTeX: what stands in them, and that pdflatex sets them within a page's width."""

import re
from pathlib import Path

import pytest

from coequal.reporting.latex.table import TEXT_WIDTH, floats, longtable
from coequal.reporting.latex.text import breakable, escape, label, replacements
from coequal.reporting.latex.widths import Need, longest_word, share, width
from coequal.reporting.table import Cell, Heading, Table

from typesetting import document, typeset

HOSTILE = r"50 % of a_b & {c} #1 $x$ ~ ^ \ <d> |e| `f` " + '"g"'
LETTERS = "".join(
    chr(code) for code in [*range(0xA0, 0x250), *range(0x370, 0x400), 0x2013, 0x2026, 0xFF21]
)


def test_latex_is_escaped():
    assert escape("50 % of a_b & {c} #1 $x$ ~ ^ \\") == (
        r"50\,\% of a\_\allowbreak{}b \& \{c\} \#1 \$x\$ \textasciitilde{} \textasciicircum{} "
        r"\textbackslash{}"
    )
    assert escape("3 ± 1 × 2–4") == r"3 $\pm$ 1 $\times$ 2--4"


def test_numbers_are_in_math_mode():
    assert escape("-1.04") == escape("−1.04") == "$-$1.04"
    assert escape("-1.6 % to -2") == r"$-$1.6\,\% to $-$2"
    assert escape("WGAN-GP, 1-NN, f-3") == "WGAN-GP, 1-NN, f-3"
    assert escape("log, 1e-05 to 0.01") == "log, $10^{-5}$ to 0.01"
    assert escape("6.66e+03") == r"$6.66\times 10^{3}$"
    assert escape("(2.10 ± 0.34)e-06") == r"(2.10 $\pm$ 0.34)$\,\times\,10^{-6}$"
    assert escape("c46850e64f7ccade") == "c46850e64f7ccade"


def test_letters_become_commands_their_nearest_latin_ones_or_their_numbers():
    assert escape("Bińkowski, Ägäis, Øre, β-VAE") == (
        r"Bi\'{n}kowski, \"{A}g\"{a}is, \O{}re, $\beta$-VAE"
    )
    assert escape("ﬁne Ａ") == "fine A"
    assert escape("漢") == r"[U+6F22]\allowbreak{}"
    (note,) = replacements(escape("漢字漢")[:9])
    assert note.startswith("% [U+6F22] stands for 漢 (CJK UNIFIED IDEOGRAPH-6F22)")
    assert label("fashion_mnist-best & worst é") == "fashion-mnist-best-worst-e"


def test_columns_share_the_room_that_words_leave():
    # 40 and 60 for the words; of 50 left, 50 and 150 are wanted: a quarter of each.
    assert share([Need(40, 90), Need(60, 210)], 150) == [40 + 12.5, 60 + 37.5]
    assert share([Need(40, 50), Need(60, 70)], 150) == [50, 70]
    assert share([Need(100, 100), Need(60, 70)], 150) is None
    assert longest_word("one three", 9.0) == pytest.approx(width("three", 9.0))
    assert longest_word(breakable("FD, %"), 9.0) == pytest.approx(width("FD,\u2009%", 9.0))
    assert longest_word("self-off", 9.0) == pytest.approx(width("self-", 9.0))


def test_a_table_is_a_longtable_with_a_short_caption():
    row = [Cell("A_1"), Cell("3.1 ± 0.2", "9 of 10", mark="*", strong=True)]
    table = Table([Heading("Model"), Heading("FD", "lower is better")], [row], notes=["A note."])
    text = longtable(table, "Best & worst", "Read it.", "digits:t")
    assert r"\caption{Best \& worst}\label{tab:digits:t}\\" in text
    assert r"A\_\allowbreak{}1 & \textbf{3.1 $\pm$ 0.2\textsuperscript{*}} (9 of 10)\\" in text
    assert r"{FD\newline{\scriptsize lower is better}}" in text
    assert r"{\footnotesize\raggedright\noindent Read it.\par}" in text
    assert r"{\footnotesize\raggedright\noindent A note.\par}" in text
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 1


def test_too_many_columns_stand_below_each_other_each_with_the_first():
    headings = [Heading("Model"), *(Heading(f"number {k}") for k in range(40))]
    rows = [[Cell(f"model {k}"), *[Cell("12,345.6", "9 of 10")] * 40] for k in range(3)]
    text = longtable(Table(headings, rows), "Many", "", "many")
    parts = text.split(r"\begin{longtable}")[1:]
    assert len(parts) > 2
    assert text.count(r"\caption{") == 1
    assert text.count(r"\caption*{Many, further columns}") == len(parts) - 1
    for part in parts:
        assert part.count("model 0 &") == 1
        widths = [float(found) for found in re.findall(r"p\{([\d.]+)pt\}", part)]
        assert sum(widths) + 6 * (len(widths) - 1) <= TEXT_WIDTH + 0.5
    assert sum(part.count("12,345.6") for part in parts) == 3 * 40


def test_hostile_text_is_set_by_pdflatex(tmp_path: Path):
    names = [HOSTILE, LETTERS, "漢字" * 40, "\U0001f600\x07", "x" * 90, "a_b" * 30, "- -1 e-5 .-2"]
    headings = [Heading(HOSTILE, "漢"), *(Heading(name[:60]) for name in names)]
    rows = [
        [Cell(name, "small", flag=HOSTILE, mark="**", strong=True), *[Cell(name[:30])] * len(names)]
        for name in names
    ]
    text = longtable(Table(headings, rows, notes=names), HOSTILE, HOSTILE, HOSTILE)
    (tmp_path / "hostile.tex").write_text(text)
    assert typeset(tmp_path, document(tmp_path, [tmp_path / "hostile.tex"])) == []
    assert "% [U+6F22] stands for 漢" in text


def floats_of(columns: int, rows: int) -> str:
    headings = [Heading("Model"), *(Heading(f"test FD {k}", "digits") for k in range(columns))]
    listed = [[Cell(f"model {k}"), *[Cell("190 (144–252)")] * columns] for k in range(rows)]
    return floats(Table(headings, listed), "Test FD. Bold: best.", "main")


def test_a_float_takes_one_column_or_both_and_goes_on_in_another():
    assert floats_of(2, 42).count(r"\begin{table}") == 1
    assert r"\ContinuedFloat" not in floats_of(2, 42)
    long = floats_of(2, 43)
    assert long.count(r"\begin{table}") == 2
    assert long.count(r"\ContinuedFloat") == 1
    assert long.count("model 42 &") == 1
    assert floats_of(4, 3).count(r"\begin{table*}") == 1
    # More columns than both have room for stand in several floats, each with the first.
    wide = floats_of(20, 3)
    parts = wide.split(r"\begin{tabular}")[1:]
    assert len(parts) == wide.count(r"\begin{table*}") > 1
    assert all("model 2 &" in part for part in parts)


def test_floats_are_set_by_pdflatex(tmp_path: Path):
    (tmp_path / "main.tex").write_text(
        r"\documentclass[twocolumn]{article}"
        r"\usepackage[letterpaper,textwidth=6.9in,columnsep=0.3in]{geometry}"
        r"\usepackage{array,booktabs,caption}\begin{document}Tables.~\ref{tab:main}"
        + floats_of(2, 100).replace("tab:main", "tab:long")
        + floats_of(20, 50)
        + r"\end{document}"
    )
    assert typeset(tmp_path, "main") == []
