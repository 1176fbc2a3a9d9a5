"""What may go goes, what the report shows stays."""

from pathlib import Path

import pytest

from coequal.results.clean import clean
from coequal.results.folder import RunFolder
from coequal.results.lock import lock
from coequal.results.results_csv import write_tables
from coequal.results.study_file import StudyFile

OFFAL = (".result.json.81-ab12.x1", "checkpoint/state.json", "measured.json", "progress.json")
KEPT = ("curves.npz", "log.txt", "trial.json", ".lock")
WEIGHTS = ("generator.safetensors", "samples/step-0000020.npy")


@pytest.fixture
def full(run: RunFolder, result_of, put) -> RunFolder:
    """Every trial has a result, and everything that it can leave."""
    put(run, result_of(run.plan()[5], 5.0))
    for trial in run.plan():
        for name in (*OFFAL, *KEPT, *WEIGHTS):
            file = run.trial_folder(trial.id) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * 5000)
    return run


def files(folder: RunFolder) -> set[str]:
    return {
        str(path.relative_to(folder.path))
        for path in folder.path.rglob("*")
        if path.is_file() and not path.name.startswith(("ended.", "results.jsonl", ".lock"))
    }


def weights(folder: RunFolder) -> dict[tuple[str, int, int], bool]:
    return {
        (trial.model, trial.setting, trial.repeat): all(
            (folder.trial_folder(trial.id) / name).exists() for name in WEIGHTS
        )
        for trial in folder.plan()
    }


def test_nothing_goes_unless_asked(full):
    before = files(full)
    found = clean(full)
    assert files(full) == before
    assert {each.why for each in found} == {
        "drafts whose writer was killed",
        "left over from trials that have ended",
        "weights and samples of trials that were not chosen",
    }
    # 5,000 bytes are two blocks of 4,096 where blocks are that large; never less than they are.
    assert all(each.size >= 5000 for each in found)


def test_only_the_chosen_keep_weights_and_samples(full):
    write_tables(full)
    table = (full.path / "results.csv").read_bytes()
    clean(full, really=True)
    # By validation at the last step: ns_gan 8/2, 4/2, diverged: setting 1, with its re-run;
    # vae 6/2, failed, 5/2: setting 2. Setting 0 is the authors', and stays.
    assert weights(full) == {
        ("ns_gan", 0, 0): True,
        ("vae", 0, 0): True,
        ("ns_gan", 1, 0): True,
        ("vae", 1, 0): False,
        ("ns_gan", 2, 0): False,
        ("vae", 2, 0): True,
        ("ns_gan", 1, 1): True,
    }
    for trial in full.plan():
        place = full.trial_folder(trial.id)
        assert all((place / name).exists() for name in KEPT)
        assert (place / "result.json").exists()
        assert not any((place / name).exists() for name in OFFAL)
    write_tables(full)
    assert (full.path / "results.csv").read_bytes() == table
    assert clean(full) == []


@pytest.mark.parametrize(
    ("repeat", "changes", "stays"),
    [(1, {}, False), (2, {}, True), (1, {"transfer": {"seeds": 1}}, True)],
    ids=["trained again", "re-run", "of another dataset's choice"],
)
def test_one_fresh_seed_is_no_choice(full, trial_of, put, result_of, repeat, changes, stays):
    again = trial_of("ns_gan", 2, repeat)
    plan = [*full.plan(), again]
    file = StudyFile.of({**full.study(), **changes})
    (full.path / "study.json").write_text(file.text())
    full.write_plan(plan)
    put(full, result_of(again, 9.0))
    for name in WEIGHTS:
        path = full.trial_folder(again.id) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    clean(full, really=True)
    assert weights(full)["ns_gan", 2, repeat] is stays
    assert weights(full)["ns_gan", 1, 1]


def test_a_search_that_goes_on_keeps_everything_of_its_model(full):
    waiting = full.plan()[5]  # setting 2 of vae
    (full.trial_folder(waiting.id) / "result.json").unlink()
    clean(full, really=True)
    kept = weights(full)
    assert all(there for (model, *_), there in kept.items() if model == "vae")
    assert not kept["ns_gan", 2, 0]
    assert (full.trial_folder(waiting.id) / "checkpoint" / "state.json").exists()
    assert (full.trial_folder(waiting.id) / "measured.json").exists()


def test_a_trial_whose_result_cannot_be_used_keeps_everything(full):
    spoilt = full.trial_folder(full.plan()[5].id)
    (spoilt / "result.json").write_text("")
    said: list[str] = []
    clean(full, really=True, log=said.append)
    assert str(spoilt) in said[0]
    assert (spoilt / "checkpoint" / "state.json").exists()
    assert (spoilt / "generator.safetensors").exists()


def test_never_while_somebody_works_in_the_folder(full):
    before = files(full)
    with full.lock():
        for really in (False, True):
            with pytest.raises(BlockingIOError, match="is in use by process"):
                clean(full, really=really)
    assert files(full) == before
    busy = full.trial_folder(full.plan()[4].id)
    said: list[str] = []
    with (busy / ".lock").open() as worker:  # one that outlives its coordinator
        lock(worker)
        clean(full, really=True, log=said.append)
    assert (busy / "checkpoint" / "state.json").exists()
    assert said == [f"{busy} is in use by another process; it is left alone"]


def test_what_is_not_ours_stays(full):
    mine = [full.path / ".notes", full.path / ".references.lock", full.path / "thesis.txt"]
    mine.append(full.path / "trials" / ".cache.db")
    for path in mine:
        path.write_text("all of it")
    inside: Path = full.trial_folder(full.plan()[0].id) / ".mine.txt"
    inside.write_text("all of it")
    drafts = [full.path / ".plan.json.k2x", full.path / "references" / ".digits.npy.k2x"]
    drafts.append(full.path / "encoders" / ".any-0123.safetensors.k2x")
    drafts.append(full.path / ".instrument.json.k2x")
    for path in drafts:
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    clean(full, really=True)
    assert all(path.exists() for path in (*mine, inside))
    assert not any(path.exists() for path in drafts)
