"""result.json: what it says, that it comes back whole, and what is refused."""

import json
from dataclasses import asdict, replace

import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, MetricSeries, Spent
from coequal.records import TrialHealth
from coequal.results.folder import RunFolder
from coequal.results.result_file import result_text

COLLAPSED = TrialHealth("collapsed", 75, "one image, 'é'")


def first(folder: RunFolder):  # type: ignore[no-untyped-def]
    """The file of the first trial's result."""
    return folder.trial_folder(folder.plan()[0].id) / "result.json"


def old_form(result):  # type: ignore[no-untyped-def]
    """What version 2 wrote: each number with its protocol."""
    values = {"schema": 2, "id": result.trial.id, **asdict(result)}
    values["trial"] = result.trial.as_dict()
    values["checkpoints"] = [asdict(point) for point in result.checkpoints]
    return json.dumps(values, indent=1) + "\n"


def test_one_line_that_says_each_protocol_once(run):
    text = first(run).read_text()
    assert text.count("\n") == 1
    values = json.loads(text)
    # Two checkpoints of three numbers: fd and is on validation, fd on test.
    assert text.count("real=validation:355") == 2
    assert text.count("real=test:355") == 1
    assert values["checkpoints"]["steps"] == [10, 20]
    assert values["checkpoints"]["measured"][2] == {
        "metric": "fd",
        "split": "test",
        "protocol": "real=test:355",
        "values": [9.0, 5.0],
        "standard_errors": [0.1 + 0.2, 0.1 + 0.2],
    }
    assert values["checkpoints"]["measured"][1]["standard_errors"] is None


def test_every_kind_of_result_comes_back_whole(run, result_of, put):
    results = [*run.results().values(), result_of(run.plan()[5], 2.0, health=COLLAPSED)]
    for result in results:
        put(run, result)
        found = run.result(result.trial.id)
        assert found == result
        assert list(found.trial.settings) == list(result.trial.settings)  # names of columns


def test_the_form_before_is_read_as_the_same_result(run, result_of):
    results = list(run.results().values())
    results[0] = replace(results[0], health=COLLAPSED)
    for result in results:
        path = run.trial_folder(result.trial.id) / "result.json"
        path.write_text(old_form(result))
        assert run.result(result.trial.id) == result


def test_the_form_from_before_there_was_health(run):
    result = run.results()[run.plan()[0].id]
    values = json.loads(old_form(result))
    del values["health"]
    first(run).write_text(json.dumps(values))
    assert run.result(result.trial.id) == result


def test_other_spaces_and_whole_numbers_are_the_same_result(run):
    result = run.result(run.plan()[0].id)
    values = json.loads(first(run).read_text())
    assert values["checkpoints"]["measured"][0]["values"] == [8.0, 4.0]
    values["checkpoints"]["measured"][0]["values"] = [8, 4]
    first(run).write_text(json.dumps(values, indent=2))
    found = run.result(result.trial.id)
    assert found == result
    assert isinstance(found.checkpoints[0].measurements[0].value, float)


def edited(values: dict) -> None:  # type: ignore[type-arg]
    values["trial"]["settings"]["learning_rate"] = 0.5


def word(values: dict) -> None:  # type: ignore[type-arg]
    values["checkpoints"]["measured"][0]["values"][0] = "very good"


def yes(values: dict) -> None:  # type: ignore[type-arg]
    values["spent"]["images"] = True


def newer(values: dict) -> None:  # type: ignore[type-arg]
    values["version"] = 99


def short(values: dict) -> None:  # type: ignore[type-arg]
    values["checkpoints"]["measured"][0]["values"].pop()


def lacking(values: dict) -> None:  # type: ignore[type-arg]
    del values["checkpoints"]["measured"][0]["protocol"]


def unknown(values: dict) -> None:  # type: ignore[type-arg]
    values["status"] = "splendid"


def ill(values: dict) -> None:  # type: ignore[type-arg]
    values["health"] = {"verdict": "collapsed"}


def late(values: dict) -> None:  # type: ignore[type-arg]
    values["health"] = {**asdict(COLLAPSED), "step": "75"}


EDITS = [
    (edited, "was it edited, or copied from another folder"),
    (word, r"is not a result \(checkpoints.measured.0.values.0.*: Input should be a valid number"),
    (yes, r"is not a result \(spent.images: Input should be a valid integer"),
    (newer, "it says 99; a newer version of coequal may have written it"),
    (short, "columns of different lengths"),
    (lacking, "checkpoints.measured.0.protocol: Field required"),
    (unknown, "status: Input should be 'done', 'diverged'"),
    (ill, "health.step: Field required"),
    (late, "health.step: Input should be a valid integer"),
]


@pytest.mark.parametrize(("edit", "message"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_what_is_wrong_is_named_with_its_field(run, edit, message):
    values = json.loads(first(run).read_text())
    edit(values)
    for text in (json.dumps(values), json.dumps(values, separators=(",", ":")) + "\n"):
        first(run).write_text(text)
        with pytest.raises(ValueError, match=message) as caught:
            run.result(run.plan()[0].id)
        assert str(first(run)) in str(caught.value)
        assert "delete it to run the trial again" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", '{"title": "a thesis"}', "\x00\x01", '{"version":3,"id":"', "12"]
)
def test_what_is_no_result_at_all(run, text):
    first(run).write_text(text)
    with pytest.raises(ValueError, match="is not a result"):
        run.result(run.plan()[0].id)


def test_a_result_that_was_copied_into_another_trial_s_folder(run):
    second = run.plan()[1].id
    (run.trial_folder(second) / "result.json").write_bytes(first(run).read_bytes())
    with pytest.raises(ValueError, match=f"whose id is {run.plan()[0].id}, not {second}"):
        run.result(second)


def test_a_number_that_json_cannot_say_is_refused(result_of, trial_of):
    with pytest.raises(ValueError, match="not JSON compliant"):
        result_text(result_of(trial_of("vae", 0), float("nan")))


def test_columns_and_checkpoints_say_the_same():
    """Measured at one checkpoint only, by two protocols, with and without an error."""
    points = [
        Checkpoint(
            5,
            Spent(5, 6, 7, 10**19, 0.5),
            (Measurement("fd", "test", 3.0, "a", 0.5), Measurement("is", "test", 1.0, "a")),
        ),
        Checkpoint(10, Spent(10, 12, 14, 2 * 10**19, 1.0), (Measurement("fd", "test", 2.0, "b"),)),
    ]
    columns = Checkpoints.of(points)
    assert list(columns) == points
    assert (columns[-1], len(columns)) == (points[1], 2)
    assert columns[:1] == Checkpoints.of(points[:1])
    assert [series.protocol for series in columns.measured] == ["a", "a", "b"]
    assert columns.measured[1] == MetricSeries("is", "test", "a", (1.0, None))
    assert columns.values("fd", "test") == [3.0, 2.0]
    first, second = columns.standard_errors("fd", "test")
    assert first == 0.5
    assert second != second  # unknown
    with pytest.raises(IndexError):
        columns[2]
    twice = replace(points[1], measurements=2 * points[1].measurements)
    with pytest.raises(ValueError, match="step 10: fd on test is there twice"):
        Checkpoints.of([twice])
