"""Weights & Biases without a network: what W&B is asked to log lies in its own file."""

import json
import struct

import pytest

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.spec import Study
from coequal.trackers._tracker import prepared

pytest.importorskip("wandb")

STUDY = {
    "study": "watched",
    "data": ["digits"],
    "models": ["ns_gan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 60}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def records(content: bytes):  # type: ignore[no-untyped-def]
    """The records of a file of W&B, which is a log of LevelDB: blocks of 32 KiB, in them parts with
    a checksum of 4 bytes, a length of 2 and a type: 1 whole, 2 first, 3 middle, 4 last."""
    place, parts = 7, b""  # after ":W&B", a number of 2 bytes and a version
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


@pytest.fixture
def _offline(tmp_path, monkeypatch):
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    yield
    wandb.teardown()


@pytest.mark.usefixtures("_offline")
def test_a_trial_is_a_run_whose_file_holds_everything(tmp_path):
    from wandb.proto import wandb_internal_pb2

    run = tmp_path / "run"
    api.run(Study.model_validate(STUDY), run, workers=0, callbacks=["wandb:bench"])
    (result,) = RunFolder(run).results().values()
    assert result.status == "done"
    (file,) = (run / "wandb").glob("offline-run-*/*.wandb")
    rows, begun, summary, code = {}, None, {}, None
    for data in records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            begun = record.run
        elif kind == "history":
            items = {
                i.key or ".".join(i.nested_key): json.loads(i.value_json)
                for i in record.history.item
            }
            rows.setdefault(items["_step"], {}).update(items)
        elif kind == "summary":
            for item in record.summary.update:
                summary[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
        elif kind == "exit":
            code = record.exit.exit_code
    assert (begun.project, begun.display_name) == ("bench", "ns_gan 0")
    assert begun.run_group == "watched (run)"
    config = {item.key: json.loads(item.value_json) for item in begun.config.update}
    assert config["learning_rate"] == 5e-05
    assert sorted(rows) == [25, 30, 50, 60]
    assert "loss/generator" in rows[25]
    values = [rows[step]["test/fd"] for step in (30, 60)]
    assert values == result.checkpoints.values("fd", "test")
    assert rows[60]["samples._type"] == "image-file"
    assert summary["outcome"] == "done"
    assert code == 0


@pytest.mark.parametrize("given", ["wandb", "wandb:/", "wandb:a/b/c"])
def test_a_project_is_needed(given):
    with pytest.raises(ValueError, match="needs a project: wandb:PROJECT or wandb:ENTITY/PROJECT"):
        prepared(given, in_this_process=True)


def test_without_a_login_it_is_said_before_any_work(monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr("wandb.login", lambda prompt: False)
    with pytest.raises(ValueError, match=r"not logged in: run `wandb login`.*WANDB_MODE=offline"):
        prepared("wandb:bench", in_this_process=True)
