"""`coequal verify`: a run comes out again, or what differs is named with its size."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from coequal import api
from coequal.analysis.summary import summarise
from coequal.checkpoints import Checkpoints
from coequal.cli.exit_codes import ExitCode
from coequal.cli.verify import lines
from coequal.results.folder import RunFolder
from coequal.results.result_file import result_text
from coequal.results.results_csv import write_tables
from coequal.study.spec import Study
from coequal.verification.report_again import compare_texts
from coequal.verification.trials_again import chosen_trials
from waiting import until

from typed import coequal

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "infogan", "width": 1 / 16},
    "search": {
        "settings": 1,
        "ranges": {"learning_rate": {"log_uniform": [1e-3, 5e-3]}},
        "reason": "few steps",
    },
    "training": {"budget": {"discriminator_steps": 40}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 300},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    """A run with a report, which nobody changes."""
    path = tmp_path_factory.mktemp("verified") / "run"
    api.run(Study.model_validate(TINY), path, workers=0)
    api.report(path)
    return path


@pytest.fixture
def run(done, tmp_path) -> RunFolder:
    """A copy of it."""
    return RunFolder(Path(shutil.copytree(done, tmp_path / "run")))


def content(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def moved(run: RunFolder, errors: float) -> str:
    """Move the test FD of a trial that has an error by so many of them; returns its id."""
    fds = [
        (before, before.checkpoints[0], measured)
        for before in run.results().values()
        for measured in before.checkpoints[0].measurements
        if (measured.metric, measured.split) == ("fd", "test")
    ]
    before, point, fd = next(each for each in fds if (each[2].standard_error or 0) > 1e-4)
    other = replace(fd, value=fd.value + errors * fd.standard_error)
    measured = tuple(other if m == fd else m for m in point.measurements)
    points = Checkpoints.of([replace(point, measurements=measured)])
    path = run.trial_folder(before.trial.id) / "result.json"
    path.write_bytes(result_text(replace(before, checkpoints=points)))
    write_tables(run)
    api.report(run.path)
    return before.trial.id


def test_a_run_comes_out_again_to_the_bit_and_is_left_as_it_is(run):
    before = content(run.path)
    found = api.verify(run.path, trials=4, workers=0)
    assert not found.different
    assert found.report.files > 20
    assert found.report.differences == ()
    assert {each.agreement.verdict for each in found.trials} == {"equal"}
    assert found.chosen_from == len(found.trials) == 4
    assert all(each.agreement.environment == {} for each in found.trials)
    assert all(each.images.largest == 0 for each in found.trials)
    assert content(run.path) == before
    text = "\n".join(lines(found))
    assert "files are the same to the byte" in text
    assert "the environment is the same in every field" in text


@pytest.mark.parametrize("recorded", ["torch", None])
def test_trials_are_trained_by_the_kernels_of_their_run(monkeypatch, tmp_path, recorded):
    # Ours round otherwise than torch's, so that the weights would have other bits by them. Runs of
    # before there was a choice, which say nothing of kernels, had torch's.
    monkeypatch.setenv("COEQUAL_KERNELS", "torch")
    run = RunFolder(tmp_path / "run")
    api.run(Study.model_validate(TINY), run.path, workers=0)
    for key, result in run.results().items():
        assert result.environment.pop("kernels") == "torch"
        if recorded is not None:
            result.environment["kernels"] = recorded
        (run.trial_folder(key) / "result.json").write_bytes(result_text(result))
    monkeypatch.delenv("COEQUAL_KERNELS")
    verified = api.verify(run.path, trials=4, workers=0)
    assert {one.agreement.verdict for one in verified.trials} == {"equal"}
    assert "COEQUAL_KERNELS" not in os.environ


# The result of the run and that of here have the same standard error s, so that a number which
# moved by d * s differs by d / sqrt(2) standard errors of the difference. Four numbers (fd and
# fd_unbiased on two splits) allow 2.50 of them (5 % / 8 in each tail): 3 / sqrt(2) is 2.12, within,
# and 5 / sqrt(2) is 3.54, beyond.
@pytest.mark.parametrize(
    ("errors", "verdict"), [(3, "within the evaluation's error"), (5, "different")]
)
def test_a_result_that_was_changed_is_found(run, errors, verdict):
    changed = moved(run, errors)
    found = api.verify(run.path, trials=4, workers=0)
    verdicts = {each.trial.id: each.agreement.verdict for each in found.trials}
    assert verdicts.pop(changed) == verdict
    assert set(verdicts.values()) == {"equal"}
    assert found.different == (verdict == "different")
    (one,) = [each.agreement for each in found.trials if each.trial.id == changed]
    assert one.worst.errors == pytest.approx(errors / 2**0.5, rel=0.01)
    assert one.numbers == 4
    assert any("fd test" in line for line in lines(found))


def test_a_field_of_the_environment_that_differs_is_named_with_both_values(run):
    trial_id, before = next(iter(run.results().items()))
    fields = {k: v for k, v in before.environment.items() if k != "cpu capability"}
    other = replace(before, environment={**fields, "torch": "1.0"})
    (run.trial_folder(trial_id) / "result.json").write_bytes(result_text(other))
    found = api.verify(run.path, trials=4, workers=0)
    (one,) = [each.agreement for each in found.trials if each.trial.id == trial_id]
    assert one.verdict == "equal"
    assert one.environment["torch"] == ("1.0", before.environment["torch"])
    text = "\n".join(lines(found))
    assert f"  torch: 1.0 and {before.environment['torch']}" in text
    assert "  not recorded there: cpu capability" in text


def test_what_differs_in_a_report_is_named_file_by_file(run):
    report = run.path / "report"
    page, table = report / "report.md", report / "tables" / "search.csv"
    page.write_text(page.read_text().replace("tiny", "huge"))
    number = next(w for w in table.read_text().replace("\n", ",").split(",") if "." in w)
    table.write_text(table.read_text().replace(number, repr(float(number) * 1.001)))
    (report / "tables" / "old.csv").write_text("x\n")
    (run.path / "results.csv").unlink()
    found = api.verify(run.path, trials=0)
    kinds = {each.path: each.kind for each in found.report.differences}
    assert kinds == {
        "report/report.md": "text",
        "report/tables/search.csv": "numbers",
        "report/tables/old.csv": "not written again",
        "results.csv": "missing",
    }
    numbers = next(each for each in found.report.differences if each.kind == "numbers")
    assert numbers.largest == pytest.approx(0.001 / 1.001, rel=1e-6)
    assert found.different
    assert (found.trials, found.chosen_from) == ((), 0)
    assert any("'huge" in line or "huge" in line for line in lines(found))


def test_samples_that_are_gone_are_no_difference_and_others_are(run):
    chosen = {model.chosen.trial for model in summarise(run)[0].models}
    gone = [run.trial_folder(trial.id) for trial in run.plan() if trial.id not in chosen]
    for place in gone:
        shutil.rmtree(place / "samples")  # as `coequal clean` does
    assert gone
    assert api.verify(run.path, trials=0).report.differences == ()
    page = run.path / "report" / "index.html"
    page.write_text(page.read_text().replace("<figcaption>Setting ", "<figcaption>Other setting "))
    (found,) = api.verify(run.path, trials=0).report.differences
    assert found.path == "report/index.html"


def test_texts_whose_numbers_alone_differ():
    found = compare_texts("a.csv", "x,1.5,2e-3,v2\n", "x,1.5,2.02e-3,v2\n")
    assert (found.kind, found.numbers, found.example) == ("numbers", 1, ("2e-3", "2.02e-3"))
    assert found.largest == pytest.approx(0.02 / 2.02)
    assert compare_texts("a.csv", "1\n2\n", "1\n").kind == "text"
    assert compare_texts("a.csv", "model v2", "model v3").kind == "text"


def test_a_run_without_a_report_has_its_trials_verified(run):
    shutil.rmtree(run.path / "report")
    found = api.verify(run.path, trials=1, workers=0)
    assert (found.report, found.different) == (None, False)
    assert next(lines(found)) == "there is no report to compare"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("fingerprint", "0" * 64, "digits has the fingerprint .* here, and 000000000000 in the"),
        ("encoder", "classifier:0123", "measured by classifier:0123, whose weights are neither in"),
    ],
)
def test_other_images_or_another_encoder_are_refused_in_one_message(run, field, value, words):
    path = run.path / "references.json"
    references = json.loads(path.read_text())
    references["digits"][field] = value
    path.write_text(json.dumps(references))
    with pytest.raises(ValueError, match=words):
        api.verify(run.path, trials=1, workers=0)


def test_data_that_are_not_here_are_said_in_one_message(run, tmp_path):
    missing = {**TINY, "data": ["folder:/nowhere"]}
    before = next(iter(run.results().values()))
    trial = replace(before.trial, data="folder:/nowhere")
    other = RunFolder(tmp_path / "other")
    other.begin(
        "study: x\n",
        Study.model_validate(TINY).as_dict() | {"data": missing["data"]},
        [trial],
        run.metrics(),
    )
    place = other.trial_folder(trial.id)
    place.mkdir(parents=True)
    (place / "result.json").write_bytes(result_text(replace(before, trial=trial)))
    with pytest.raises(ValueError, match="folder:/nowhere can't be loaded, so its trials can't"):
        api.verify(other.path, trials=1, workers=0)


def test_more_trials_include_those_of_fewer_and_seeds_choose_others(run):
    def ids(count, seed):
        return [result.trial.id for result in chosen_trials(run, count, seed)[0]]

    assert ids(3, 0)[:2] == ids(2, 0)
    assert ids(4, 0) == [*dict.fromkeys(ids(9, 0))]
    assert len({tuple(ids(4, seed)) for seed in range(5)}) > 1


def test_trials_that_a_clock_ended_are_not_chosen(run):
    for trial_id, before in run.results().items():
        path = run.trial_folder(trial_id) / "result.json"
        path.write_bytes(result_text(replace(before, status="timeout", reason="60 s were over")))
    with pytest.raises(ValueError, match="the clock ended all of them; use --trials 0"):
        chosen_trials(run, 1, 0)


@pytest.fixture
def archived(run) -> RunFolder:
    """As in docs/results: the trials are in an archive."""
    with tarfile.open(run.path / "trials.tar.xz", "w:xz") as file:
        file.add(run.path / "trials", "trials")
    for name in ("trials", "results.jsonl", "ended.jsonl"):
        path = run.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return run


def test_a_folder_whose_trials_are_in_an_archive_is_verified_and_reported(archived):
    before = content(archived.path)
    found = api.verify(archived.path, trials=1, workers=0)
    assert not found.different
    assert content(archived.path) == before
    page = api.report(archived.path)
    assert page == archived.path.with_name("run_report") / "index.html"
    assert page.read_bytes() == before["report/index.html"]


def test_an_archive_that_holds_other_things_or_is_damaged_is_refused(archived, tmp_path):
    archive = archived.path / "trials.tar.xz"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"trials\.tar\.xz can't be unpacked"):
        api.verify(archived.path, trials=0)
    with tarfile.open(archive, "w:xz") as file:
        file.add(archived.path / "study.yaml", "study.yaml")
    with pytest.raises(ValueError, match=r"holds 'study\.yaml', which is no part of a trial"):
        api.verify(archived.path, trials=0)
    for name, kind in (("trials/../../x", tarfile.REGTYPE), ("trials/x", tarfile.SYMTYPE)):
        with tarfile.open(archive, "w:xz") as file:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/hostname"
            file.addfile(entry)
        with pytest.raises(ValueError, match=f"holds '{name}', which is no part of a trial"):
            api.verify(archived.path, trials=0)


def test_a_pack_is_verified(run, tmp_path):
    api.pack(run.path, tmp_path / "run.zip")
    found = api.verify(tmp_path / "run.zip", trials=1, workers=0)
    assert [each.agreement.verdict for each in found.trials] == ["equal"]
    assert found.report.differences == ()


def test_the_command_says_what_differs_and_ends_with_its_code(run, tmp_path):
    same = coequal("verify", "run", "--trials", "1", "--workers", "0", cwd=tmp_path)
    assert same.returncode == ExitCode.DONE, same.stderr
    assert "equal, all 4 numbers to the bit" in same.stdout
    assert "training 1 of 4 trials again" in same.stderr
    changed = moved(run, 50)
    told = coequal("verify", "run", "--trials", "4", "--workers", "0", "--json", cwd=tmp_path)
    assert told.returncode == ExitCode.DIFFERENT, told.stderr
    values = json.loads(told.stdout)
    assert values["different"]
    verdicts = {each["trial"]: each["verdict"] for each in values["trials"]}
    assert [key for key, verdict in verdicts.items() if verdict == "different"] == [changed]
    (one,) = [each for each in values["trials"] if each["trial"] == changed]
    assert one["largest"]["fd test"]["errors"] == pytest.approx(50 / 2**0.5, rel=0.1)


def test_ctrl_c_leaves_nothing_and_says_so(run, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = content(run.path)
    program = "from coequal.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "verify", run.path, "--trials", "4", "--workers", "0"],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until(lambda: any(temporary.glob("coequal-verify-*/run/trials")), "training", process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Stopped. Nothing is kept" in told
    assert b"Traceback" not in told
    assert list(temporary.glob("coequal-verify-*")) == []
    assert content(run.path) == before
