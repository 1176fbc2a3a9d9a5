"""Runs joined into one: the numbers of a run that had all models, or a refusal that names why."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coequal import api
from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.files import write_json
from coequal.records import MetricInfo, Result, Trial
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.results.merge import merge
from coequal.results.merged_file import agreement_lines, read_merged
from coequal.results.own_code import add_code, code_files
from coequal.results.pack import opened
from coequal.results.packing import pack
from coequal.results.result_file import write_result
from coequal.results.study_file import StudyFile
from coequal.study.spec import Study, load

import fabricated_run
from fabricated_run import Run

PROTOCOL = "encoder=pixels:1 real=test:355 fake=40 batch_norm=moving-averages"


def model(name, **changes):
    return {"name": name, "objective": name, "settings": {"learning_rate": 1e-4}} | changes


def trial(name, setting=0, data="digits", repeat=0):
    return Trial(
        model=name,
        objective=name,
        data=data,
        setting=setting,
        repeat=repeat,
        settings={"learning_rate": 1e-4},
        architecture={"name": "infogan"},
        training={"batch_size": 64},
        evaluation={"encoder": "pixels"},
    )


METRICS = {"fd": MetricInfo("lower", "")}


def reference(**changes):
    return {
        "encoder": "pixels:1",
        "encoder_note": "raw pixels",
        "fingerprint": "0123",
        "notes": ["from /one/folder"],
        "cap": {"fd": 700.0},
    } | changes


def result(of, value=3.0, protocol=PROTOCOL):
    spent = Spent(10, 10, 640, 1000, 0.5)
    point = Checkpoint(10, spent, (Measurement("fd", "test", value, protocol),))
    return Result(of, "done", spent, Checkpoints.of([point]))


def build(path, models, trials, results=None, references=None, metrics=None, **changes):
    """A run of these models and trials; `results` are all of value 3 unless given."""
    study = {
        "study": path.name,
        "question": f"Is {path.name} good?",
        "data": ["digits", "letters"],
        "models": models,
        "training": {"batch_size": 64},
        "evaluation": {"encoder": "pixels", "samples": 2500},
        "select": {"metric": "fd", "split": "validation", "checkpoint": "last"},
    }
    folder = RunFolder(path)
    folder.begin("study: as written\n", study | changes, trials, metrics or METRICS)
    write_json(path / "references.json", references or {"digits": reference()})
    for entry in [result(one) for one in trials] if results is None else results:
        write_result(folder.trial_folder(entry.trial.id), entry)
    return folder


@pytest.fixture
def a(tmp_path):
    return build(tmp_path / "a", [model("wgan"), model("vae")], [trial("wgan"), trial("vae")])


def other(tmp_path, **changes):
    """A run named b of one more model, changed as said."""
    given = {"models": [model("mine")], "trials": [trial("mine")]} | changes
    return build(tmp_path / "b", **given)


def test_models_are_joined_and_the_rest_is_the_first_run_s(a, tmp_path):
    c = RunFolder(tmp_path / "deep" / "c")
    merge([a, other(tmp_path)], c)
    study = c.study()
    assert [entry["name"] for entry in study["models"]] == ["wgan", "vae", "mine"]
    assert study["study"] == "a + b"
    assert study["question"] == "Is a good? Is b good?"
    assert study["evaluation"] == a.study()["evaluation"]
    assert len(c.results()) == 3
    assert (c.path / "results.csv").read_text().count("\n") == 1 + 3
    assert sorted(path.name for path in c.path.parent.iterdir()) == ["c"]


def _spending(folder, looks, comparisons):
    (folder.path / "study.json").write_text(StudyFile(folder.study(), looks, comparisons).text())
    return folder


def test_joined_runs_keep_their_looks_and_never_have_fewer_comparisons(a, tmp_path):
    # Three models are 3 pairs; b had 8 models once, 28 pairs.
    looks, c = ((20, 0.02), (40, 0.03)), RunFolder(tmp_path / "c")
    merge([_spending(a, looks, 1), _spending(other(tmp_path), looks, 28)], c)
    assert (c.looks(), c.comparisons()) == (looks, 28)
    both, one_look = RunFolder(tmp_path / "d"), _spending(a, ((40, 0.05),), 1)
    merge([one_look, _spending(RunFolder(tmp_path / "b"), ((40, 0.05),), 0)], both)
    assert both.comparisons() == 3
    with pytest.raises(
        ValueError, match=r"looks: 0.05 at 40 settings and 0.02 at 20 settings, 0.03"
    ):
        merge([one_look, _spending(RunFolder(tmp_path / "b"), looks, 1)], RunFolder(tmp_path / "e"))


def test_the_plan_has_the_search_first_then_data_set_repeat_setting_and_model(tmp_path):
    one = [trial("wgan", 1), trial("wgan"), trial("wgan", 1, repeat=1), trial("wgan", 0, "letters")]
    two = [trial("vae", 0, repeat=1), trial("vae"), trial("vae", 1), trial("wgan")]
    both = {"digits": reference(), "letters": reference()}
    a = build(tmp_path / "a", [model("wgan")], one, references=both)
    b = build(tmp_path / "b", [model("vae"), model("wgan")], two, references=both)
    merge([a, b], RunFolder(tmp_path / "c"))
    plan = [(t.model, t.data, t.setting, t.repeat) for t in RunFolder(tmp_path / "c").plan()]
    assert plan == [
        ("wgan", "digits", 0, 0),
        ("vae", "digits", 0, 0),
        ("wgan", "digits", 1, 0),
        ("vae", "digits", 1, 0),
        ("wgan", "letters", 0, 0),
        ("vae", "digits", 0, 1),
        ("wgan", "digits", 1, 1),
    ]


def test_trial_folders_come_whole_without_locks_and_the_sources_stay(a, tmp_path):
    b = other(tmp_path)
    own = a.trial_folder(trial("wgan").id)
    (own / "samples").mkdir()
    (own / "samples" / "step-0000010.npy").write_bytes(b"images")
    (own / ".lock").touch()
    (b.path / "references").mkdir()
    np.save(b.path / "references" / "digits.npy", np.ones((2, 1, 8, 8), np.uint8))

    def content(folder):
        files = (path for path in folder.path.rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = content(a) | content(b)
    c = RunFolder(tmp_path / "c")
    merge([a, b], c)
    assert content(a) | content(b) == before
    copied = c.trial_folder(trial("wgan").id)
    assert (copied / "samples" / "step-0000010.npy").read_bytes() == b"images"
    assert not (copied / ".lock").exists()
    assert c.real_samples("digits").shape == (2, 1, 8, 8)


def test_a_model_in_both_is_taken_once_from_the_run_that_has_its_result(a, tmp_path):
    wgan = trial("wgan")
    shutil.rmtree(a.trial_folder(wgan.id))
    (a.trial_folder(wgan.id) / "checkpoint").mkdir(parents=True)
    done = result(wgan, 5.0)
    b = other(
        tmp_path,
        models=[model("mine"), model("wgan")],
        trials=[trial("mine"), wgan],
        results=[result(trial("mine")), done],
    )
    c = RunFolder(tmp_path / "c")
    merge([a, b], c)
    assert c.result(wgan.id) == done
    assert not (c.trial_folder(wgan.id) / "checkpoint").exists()
    assert [entry["name"] for entry in c.study()["models"]] == ["wgan", "vae", "mine"]


def test_of_a_trial_with_two_results_the_first_run_s_is_kept_and_the_difference_told(a, tmp_path):
    # a has 3, b 4; neither says an error, so that nothing but "different" can be said of them.
    wgan, b = trial("wgan"), tmp_path / "b"
    b = other(tmp_path, models=[model("wgan")], trials=[wgan], results=[result(wgan, 4.0)])
    for sources, kept in (([a, b], 3.0), ([b, a], 4.0)):
        c = RunFolder(tmp_path / f"kept-{kept}")
        merged = merge(sources, c)
        assert c.result(wgan.id).checkpoints[0].value("fd", "test") == kept
        assert merged == read_merged(c.path)
        (shared,) = merged.shared
        assert (shared.trial, shared.model, shared.verdict) == (wgan.id, "wgan", "different")
        assert (shared.kept, shared.compared) == tuple(source.path.name for source in sources)
        assert shared.deviation["relative"] == 0.25
        assert [(run.name, run.results, run.kept) for run in merged.runs] == (
            [("a", 2, 2), ("b", 1, 0)] if kept == 3.0 else [("b", 1, 1), ("a", 2, 1)]
        )
        told = "\n".join(agreement_lines(merged))
        assert "1 trials are in two of the runs: 1 different" in told
        assert "the result of the run named first is kept" in told
        assert "delete" not in told


def test_results_that_differ_by_the_clock_alone_are_equal(a, tmp_path):
    wgan = trial("wgan")
    later = result(wgan)
    later = replace(later, spent=replace(later.spent, seconds=later.spent.seconds + 7))
    b = other(tmp_path, models=[model("wgan")], trials=[wgan], results=[later])
    (shared,) = merge([a, b], RunFolder(tmp_path / "c")).shared
    assert (shared.verdict, shared.deviation, shared.differing) == ("equal", None, "")


def test_the_report_shows_how_well_shared_trials_agree(tmp_path):
    # Of NS GAN's three settings the first has another test FD (3 for 2), the others are the same.
    there = [Run([(2, 2)]), Run([(4, 4)]), Run([(5, 5)])]
    here = [Run([(2, 3)]), *there[1:]]
    one = fabricated_run.build(tmp_path / "one", {"ns_gan": here, "vae": there})
    two = fabricated_run.build(tmp_path / "two", {"ns_gan": there})
    c = RunFolder(tmp_path / "c")
    merge([one, two], c)
    page = write_report(c).read_text()
    assert "Trials that two of the merged runs have" in page
    assert "2 equal, 1 different" in page
    with (c.path / "report" / "tables" / "reproducibility.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == ["different", "equal", "equal"]
    assert [
        rows[0][name] for name in ("number", "kept_value", "other_value", "kept", "compared")
    ] == [*("fd test", "3.0", "2.0", "one", "two")]
    assert rows[1]["number"] == ""
    short = (c.path / "report" / "report.md").read_text()
    assert "Merged from the runs one, two. 3 trials were trained in two of them" in short
    assert "2 equal, 1 different" in short
    assert "Trials that two" not in write_report(one).read_text()


def test_what_a_joined_run_says_of_its_own_overlap_stays(a, tmp_path):
    wgan, vae = trial("wgan"), trial("vae")
    b = other(tmp_path, models=[model("wgan")], trials=[wgan], results=[result(wgan, 4.0)])
    first = RunFolder(tmp_path / "first")
    merge([a, b], first)
    d = build(tmp_path / "d", [model("vae")], [vae], [result(vae, 3.0)])
    merged = merge([first, d], RunFolder(tmp_path / "second"))
    assert [(each.model, each.verdict) for each in merged.shared] == [
        ("wgan", "different"),
        ("vae", "equal"),
    ]


def test_runs_of_one_name_are_told_apart(tmp_path):
    for place in ("one", "two"):
        build(tmp_path / place / "run", [model("wgan")], [trial("wgan")])
    sources = [RunFolder(tmp_path / place / "run") for place in ("one", "two")]
    merged = merge(sources, RunFolder(tmp_path / "c"))
    assert [run.name for run in merged.runs] == ["run (1)", "run (2)"]


def test_packs_are_joined_like_folders(a, tmp_path):
    b = other(tmp_path)
    merge([a, b], RunFolder(tmp_path / "of-folders"))
    pack(b, tmp_path / "b.zip")
    api.merge([a.path, tmp_path / "b.zip"], tmp_path / "of-a-pack")
    for name in ("merged.json", "results.csv", "plan.json", "study.yaml", "references.json"):
        found = (tmp_path / "of-a-pack" / name).read_bytes()
        assert found == (tmp_path / "of-folders" / name).read_bytes()
    c = pack(RunFolder(tmp_path / "of-a-pack"), tmp_path / "c.zip")  # and joined ones are packed
    with opened(c.path) as folder:
        assert read_merged(folder.path) == read_merged(tmp_path / "of-folders")
    wrong = other(tmp_path / "other", evaluation={"encoder": "pixels", "samples": 9})
    pack(wrong, tmp_path / "wrong.zip")
    with pytest.raises(ValueError, match="have different protocols") as caught:
        api.merge([a.path, tmp_path / "wrong.zip"], tmp_path / "none")
    assert str(tmp_path / "wrong.zip") in str(caught.value)


def test_source_of_both_is_kept_and_what_differs_is_told(a, tmp_path):
    b, c = other(tmp_path), RunFolder(tmp_path / "c")
    add_code(a, ["lab:Mine"], {"lab.py": b"one = 1\n"})
    add_code(b, ["lab:Mine", "own:Own"], {"lab.py": b"one = 2\n", "own.py": b"\n"})
    merged = merge([a, b], c)
    assert merged.other_source == ("lab:Mine",)
    assert "different source of lab:Mine" in "\n".join(agreement_lines(merged))
    assert [path.relative_to(c.path).as_posix() for path in code_files(c)] == [
        "code/1/lab.py",
        "code/2/lab.py",
        "code/2/own.py",
    ]
    # A run that went on with other source has two sets; one that is there twice is kept once.
    assert add_code(a, ["lab:Mine"], {"lab.py": b"one = 3\n"})
    assert not add_code(a, ["lab:Mine"], {"lab.py": b"one = 3\n"})
    again = RunFolder(tmp_path / "again")
    merge([a, RunFolder(shutil.copytree(a.path, tmp_path / "copy"))], again)
    assert len(code_files(again)) == 2


def test_runs_of_two_encoders_are_refused_with_what_would_make_them_one(a, tmp_path):
    b = other(tmp_path, references={"digits": reference(encoder="pixels:2")})
    with pytest.raises(ValueError, match=r"digits\.encoder: pixels:1 and pixels:2") as caught:
        merge([a, b], RunFolder(tmp_path / "c"))
    assert f"coequal run STUDY --out NEW --reuse {a.path}" in str(caught.value)
    assert "delete" not in str(caught.value)
    b = other(tmp_path / "there", references={"digits": reference(cap={"fd": 701.0})})
    with pytest.raises(ValueError, match=r"digits\.cap\.fd: 700\.0 and 701\.0") as caught:
        merge([a, b], RunFolder(tmp_path / "c"))
    assert "by the version of coequal" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"evaluation": {"encoder": "pixels", "samples": 5000}},
            ["evaluation.samples: 2500 and 5000"],
        ),
        (
            {"training": {"batch_size": 32, "ema": 0.999}, "seed": 1},
            [
                "training.batch_size: 64 and 32",
                "training.ema: nothing and 0.999",
                "seed: nothing and 1",
            ],
        ),
        ({"data": ["digits"]}, ["data: ['digits', 'letters'] and ['digits']"]),
        (
            {"models": [model("wgan", settings={"learning_rate": 1.00000001e-4})], "trials": []},
            ["models.wgan.settings.learning_rate: 0.0001 and 0.000100000001"],
        ),
        (
            {"references": {"digits": reference(encoder="pixels:2", fingerprint="4567")}},
            ["digits.encoder: pixels:1 and pixels:2", "digits.fingerprint: 0123 and 4567"],
        ),
        (
            {"references": {"digits": reference(cap={"fd": 701.0})}},
            ["digits.cap.fd: 700.0 and 701.0"],
        ),
        (
            {"results": [result(trial("mine"), protocol=PROTOCOL.replace("=40", "=50"))]},
            ["fd of digits, test split: fake: 40 and 50"],
        ),
    ],
)
def test_another_protocol_is_refused_with_every_field_and_both_values(a, tmp_path, changes, said):
    with pytest.raises(ValueError, match="have different protocols") as caught:
        merge([a, other(tmp_path, **changes)], RunFolder(tmp_path / "c"))
    first, *fields = re.split("\nThe images|\nImages", str(caught.value))[0].split("\n  ")
    assert str(tmp_path / "a") in first
    assert str(tmp_path / "b") in first
    assert fields == said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_cap_that_another_processor_rounded_and_notes_are_no_other_instrument(a, tmp_path):
    # One part in 10^9; what is allowed is one in 10^6.
    same = reference(cap={"fd": 700.0000007}, notes=["from /another"], encoder_note="pixels, raw")
    merge([a, other(tmp_path, references={"digits": same})], RunFolder(tmp_path / "c"))
    assert RunFolder(tmp_path / "c").references() == a.references()


def test_a_data_set_that_one_run_alone_has_begun_keeps_its_reference(a, tmp_path):
    merge([a, other(tmp_path, references={"letters": reference()})], RunFolder(tmp_path / "c"))
    assert list(RunFolder(tmp_path / "c").references()) == ["digits", "letters"]


def test_the_target_must_be_new_or_empty_and_outside_of_the_sources(a, tmp_path):
    b = other(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for place, said in (("full", "is not empty"), ("a/inside", "which must not change")):
        with pytest.raises(FileExistsError, match=said):
            merge([a, b], RunFolder(tmp_path / place))
    (tmp_path / "empty").mkdir()
    merge([a, b], RunFolder(tmp_path / "empty"))
    assert len(RunFolder(tmp_path / "empty").results()) == 3


def test_sources_must_be_two_runs_at_rest(a, tmp_path):
    c = RunFolder(tmp_path / "c")
    with pytest.raises(ValueError, match="at least two"):
        merge([a], c)
    with pytest.raises(ValueError, match="given twice"):
        merge([a, RunFolder(tmp_path / "x" / ".." / "a")], c)
    with pytest.raises(FileNotFoundError, match="holds no study"):
        merge([a, RunFolder(tmp_path / "none")], c)
    b = other(tmp_path)
    with b.lock(), pytest.raises(BlockingIOError, match="is in use by another process"):
        merge([a, b], c)


def test_a_merge_that_fails_in_the_middle_leaves_nothing(a, tmp_path, monkeypatch):
    def full(source, target, ignore):
        raise OSError("no space left on device")

    b = other(tmp_path)
    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OSError, match="no space left"):
        merge([a, b], RunFolder(tmp_path / "c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


TINY = {
    "data": ["digits"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 2}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def test_joined_runs_have_the_table_of_one_that_had_all_models(tmp_path: Path):
    def run(name, models):
        study = Study.model_validate({"study": name, **TINY, "models": models})
        api.run(study, tmp_path / name, workers=0)
        return RunFolder(tmp_path / name)

    parts, whole = [run("one", ["ns_gan"]), run("two", ["vae"])], run("all", ["ns_gan", "vae"])
    joined = RunFolder(tmp_path / "joined")
    merge(parts, joined)
    table = (joined.path / "results.csv").read_bytes()
    assert table == (whole.path / "results.csv").read_bytes()
    # Its study file is one: with a third model it would go on, as it is there is nothing to do.
    study, _ = load(joined.path / "study.yaml")
    assert json.loads(json.dumps(study.as_dict())) == joined.study()
    api.run(study, joined.path, workers=0)
    assert (joined.path / "results.csv").read_bytes() == table


def test_refuses_runs_whose_metrics_point_in_different_directions(a, tmp_path):
    b = other(tmp_path, metrics={"fd": MetricInfo("higher", "")})
    with pytest.raises(ValueError, match=r"metrics\.fd\.better"):
        merge([a, b], RunFolder(tmp_path / "c"))
    assert not (tmp_path / "c").exists()
