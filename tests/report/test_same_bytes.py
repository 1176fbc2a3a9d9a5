"""A report is the same to the byte on another processor, and with another order of hashes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coequal.analysis.across_datasets import study_summary
from coequal.analysis.summary import summarise
from coequal.formatting import for_programs, significant
from coequal.reporting.svg_bytes import numbered, slim
from coequal.reporting.verdict_json import verdict_json

from fabricated_run import Run, build


def run_of(seed, level):
    rng = np.random.default_rng(seed)
    return [
        Run([(value := level * np.exp(0.4 * x), value * 1.01)], error=1.0)
        for x in rng.standard_normal(15)
    ]


@pytest.fixture
def run(tmp_path):
    models = {"ns_gan": run_of(1, 40), "vae": run_of(2, 55), "wgan": run_of(3, 60)}
    return build(tmp_path / "run", models)


def other_kernels() -> dict[str, str]:
    """Variables with which numpy and OpenBLAS take the kernels of an old processor."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": " ".join(found)}


def written(run, **variables: str) -> dict[str, bytes]:
    """The files of a report that another process writes."""
    program = "import sys\nfrom coequal import api\napi.report(sys.argv[1])\n"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, run.path],
        env=os.environ | variables,
        check=True,
    )
    report = run.path / "report"
    return {
        str(path.relative_to(report)): path.read_bytes()
        for path in sorted(report.rglob("*"))
        if path.is_file()
    }


def test_a_report_has_the_same_bytes_on_another_processor(run):
    here = written(run, PYTHONHASHSEED="1", OMP_NUM_THREADS="2")
    there = written(run, PYTHONHASHSEED="2", OMP_NUM_THREADS="1", **other_kernels())
    assert len(here) > 20
    assert [name for name in here if here[name] != there.get(name)] == []
    assert here.keys() == there.keys()


def test_a_number_for_programs_has_ten_digits():
    # 2/3 and the float below it are one number to ten digits.
    below = np.nextafter(2 / 3, 0)
    assert for_programs(2 / 3) == for_programs(below) == "0.6666666667"
    assert [for_programs(v) for v in (1.0, None, float("nan"), float("inf"), 1e-20 / 3)] == [
        *("1.0", "", "", "failed", "3.333333333e-21")
    ]
    assert significant(-12345678901.25) == -12345678900.0


def test_the_verdict_for_programs_and_the_page_have_ten_digits(run):
    summaries = summarise(run)
    text = verdict_json(study_summary(summaries, run.study()))
    floats: list[float] = []
    json.loads(text, parse_float=lambda number: floats.append(float(number)))
    assert len(floats) > 20
    assert [value for value in floats if value != significant(value)] == []
    written(run)
    page = (run.path / "report" / "index.html").read_text()
    sorts = [piece.split('"')[0] for piece in page.split('data-sort="')[1:]]
    shown = [float(text) for text in sorts if is_number(text)]
    assert len(shown) > 20
    assert [value for value in shown if value != significant(value)] == []


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


SVG = """<svg><path clip-path="url(#p{a})" d="M 12.34 1.{tail} L 7.1234 -0.001"/>
<defs><path id="m{b}" d="M 0 3"/></defs><use xlink:href="#m{b}" x="{x}" y="5"/>
<g id="axes_1"/><clipPath id="p{a}"/></svg>"""


def test_names_and_places_in_an_svg_file_do_not_depend_on_last_digits():
    """matplotlib names by a hash of all digits, and 12.34 may be written as 12.339999."""
    one = SVG.format(a="7232f50a2c", b="92d5bfe68d", x="12.34", tail="0049")
    two = SVG.format(a="040cfd7c3b", b="f52a49a5ac", x="12.339999", tail="004900")
    first, second = (numbered(slim(text.encode())).decode() for text in (one, two))
    assert first == second
    assert 'url(#d1)" d="m12.34 1l-5.22-1"' in first
    assert 'xlink:href="#d2" x="12.34"' in first
    assert 'id="axes_1"' in first
    assert first.count("d1") == 2


def test_every_figure_of_a_report_has_numbered_names(run):
    written(run)
    figures = sorted(Path(run.path / "report" / "figures").glob("*.svg"))
    assert figures
    for figure in figures:
        text = figure.read_text()
        for name in text.split("url(#")[1:]:
            assert f'id="{name.split(")")[0]}"' in text
        assert numbered(text.encode()).decode() == text
