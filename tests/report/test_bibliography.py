"""Every source that a part names has a record, and a record says no more than is known."""

import re

import pytest

from coequal.lookup import names
from coequal.reporting.paper.bibliography import (
    Citations,
    cited_in,
    records,
    source_of,
    unknown_numbers,
)
from coequal.study.model import shipped_models

PARTS = [
    (kind, name)
    for kind in ("metrics", "encoders", "objectives", "architectures", "datasets")
    for name in names(kind)
]
WITHOUT_A_PAPER = {  # they say so in their docstrings, or name the paper of the whole study
    *("encoders/classifier", "encoders/corners", "encoders/pixels", "metrics/feature_diversity"),
}


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_what_a_part_names_has_a_record(kind: str, name: str):
    words = source_of(kind, name)
    assert unknown_numbers(words) == []
    if kind in ("metrics", "encoders") and f"{kind}/{name}" not in WITHOUT_A_PAPER:
        assert cited_in(words), words


def test_every_model_has_a_record():
    for model in shipped_models():
        assert cited_in(model.source), model.name
        assert unknown_numbers(model.source) == []


def test_records_have_authors_title_and_year():
    assert len(records()) > 60
    for key, record in records().items():
        for field in ("author", "title", "year"):
            assert re.search(rf"^  {field} = \{{.+\}},$", record.source, re.MULTILINE), key
        year = re.search(r"year = \{(\d{4})\}", record.source)
        assert year is not None
        assert year[1] in key
    numbers = [number for record in records().values() for number in record.numbers]
    assert len(numbers) == len(set(numbers))


def test_sources_are_found_by_number_and_by_authors_and_year():
    assert cited_in(
        "Mao et al. 2017, arXiv:1611.04076; ranges of Lucic et al. 2018, arXiv:1711.10337"
    ) == ["mao2017", "lucic2018"]
    assert cited_in("Source: Krizhevsky 2009, Learning multiple layers") == ["krizhevsky2009"]
    assert cited_in("Mann and Whitney 1947") == ["mann1947"]
    assert cited_in("Nobody et al. 2031, arXiv:3101.00001") == []
    assert source_of("metrics", "fd_unbiased") == source_of("metrics", "fd")
    assert source_of("encoders", "inception:clean") == source_of("encoders", "inception") != ""
    assert source_of("metrics", "my_lab:Mine") == ""


def test_a_source_without_a_record_is_cited_in_its_own_words():
    cite = Citations()
    assert cite.of("Doe 2031, arXiv:3101.00001, 50 % of it", "my_gan") == r"~\cite{source-my-gan}"
    assert cite.of("Mao et al. 2017, arXiv:1611.04076") == r"~\cite{mao2017}"
    assert cite.of("no paper") == ""
    text = cite.bibtex()
    assert r"note = {Doe 2031, arXiv:3101.00001, 50\,\% of it}" in text
    assert "note = {arXiv:1611.04076}" in text
