"""What lies in docs/results is what its trials say."""

import json

import pytest

from coequal.analysis.across_datasets import study_summary
from coequal.analysis.summary import summarise
from coequal.reporting.verdict_json import verdict_json
from coequal.results.archived_trials import unpack_trials
from coequal.results.folder import RunFolder
from coequal.results.results_csv import write_tables
from coequal.study.parts import rule_of
from coequal.study.plan import plan
from coequal.study.spec import Study
from figures_of_numbers import too_precise

TRIALS = {
    "one_hour": 315,
    "triangles_one_hour": 8 * 3,
    "how_good_is_my_gan": 6 * 2 + 6,
    "do_tricks_help": 40 * 11,
}


@pytest.fixture(scope="module", params=TRIALS)
def folder(tmp_path_factory, request) -> RunFolder:
    published = request.config.rootpath / "docs" / "results" / request.param
    place = tmp_path_factory.mktemp("published") / request.param
    unpack_trials(published, place)
    return RunFolder(place)


def test_the_published_table_is_that_of_the_published_trials(folder):
    published = (folder.path / "results.csv").read_bytes()
    write_tables(folder)
    assert (folder.path / "results.csv").read_bytes() == published


def test_the_published_plan_follows_from_the_study_and_the_results(folder):
    study = Study.model_validate(folder.study())
    assert plan(study, folder.results(), rule_of(study)) == folder.plan()
    assert len(folder.results()) == TRIALS[folder.path.name]


def test_the_published_verdict_is_the_one_that_is_reached_now(folder):
    published = (folder.path / "report" / "verdict.json").read_text()
    reached = verdict_json(study_summary(summarise(folder), folder.study()))
    assert _decided(reached) == _decided(published)


def _decided(text: str) -> list[object]:
    """Sentences and outcomes; numbers may differ in their last digits between processors."""
    return [
        (found["sentence"], [(p["model"], p["against"], p["outcome"]) for p in found["pairs"]])
        for found in json.loads(text)["data_sets"]
    ]


def test_no_published_table_is_more_precise_than_its_errors(folder):
    assert too_precise(study_summary(summarise(folder), folder.study())) == []
