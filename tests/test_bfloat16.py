"""bfloat16 is refused where it is slow: by what torch knows, else by a measurement."""

import pytest
import torch

from coequal import api, bfloat16
from coequal.bfloat16 import Speeds
from coequal.cli import study as commands
from coequal.cli.run import run

SMALL = """\
data: [digits]
models: [ns_gan]
architecture: {name: infogan, width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 2}, batch_size: 16, checkpoints: 1, precision: bfloat16}
evaluation: {encoder: pixels, samples: 20}
"""
SLOW, FAST = Speeds(80.0, 2.0), Speeds(100.0, 200.0)


def device_that(monkeypatch, native: bool | None, speeds: Speeds) -> list[str]:
    """Every device has such arithmetic and reaches such speeds; the list holds those measured."""
    measured: list[str] = []

    def measure(device: str) -> Speeds:
        measured.append(device)
        return speeds

    monkeypatch.setattr(bfloat16, "is_native", lambda device: native)
    monkeypatch.setattr(bfloat16, "measure", measure)
    return measured


@pytest.mark.parametrize(
    ("native", "speeds", "slow", "asked"),
    [
        (True, SLOW, False, False),  # torch knows: whatever a busy machine would measure
        (False, FAST, True, True),  # the same; measured for the message alone
        (None, SLOW, True, True),
        (None, FAST, False, True),
        (None, Speeds(100.0, 90.0), True, True),  # 1.1 times as long
    ],
)
def test_the_clock_decides_only_where_torch_knows_nothing(monkeypatch, native, speeds, slow, asked):
    measured = device_that(monkeypatch, native, speeds)
    assert bfloat16.slow("cpu") == (speeds if slow else None)
    assert measured == (["cpu"] if asked else [])


def test_both_types_are_measured_on_one_thread_and_threads_come_back():
    before = torch.get_num_threads()
    speeds = bfloat16.measure()
    assert speeds.float32 > 0
    assert speeds.bfloat16 > 0
    assert torch.get_num_threads() == before
    assert Speeds(80.0, 2.0).ratio == 40


@pytest.fixture
def slow_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    device_that(monkeypatch, False, SLOW)
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.mark.parametrize("command", [commands.check, commands.plan, run])
def test_commands_refuse_it_with_the_ratio(slow_study, command):
    with pytest.raises(ValueError, match=r"40 times as long.*2 against 80 GFLOP/s.*--force"):
        command(slow_study)


def test_nothing_is_trained(slow_study, tmp_path):
    with pytest.raises(ValueError, match="no arithmetic"):
        api.run(slow_study, tmp_path / "run", workers=0)
    assert not list(tmp_path.glob("run/trials/*"))


def test_it_runs_where_it_is_forced_and_the_trial_is_the_same(slow_study, tmp_path, monkeypatch):
    forced = api.run(slow_study, tmp_path / "forced", workers=0, force_bfloat16=True).trials
    device_that(monkeypatch, True, FAST)
    native = api.run(slow_study, tmp_path / "native", workers=0).trials
    assert list(forced) == list(native)
    for trial_id, result in native.items():
        assert forced[trial_id].checkpoints.measured == result.checkpoints.measured
        assert result.trial.training["precision"] == "bfloat16"


def test_forced_check_and_plan(slow_study):
    assert commands.check(slow_study, force_bfloat16=True, try_parts=False).code == 0
    commands.check(slow_study, force_bfloat16=True)
    commands.plan(slow_study, force_bfloat16=True, calibrate=False)


def test_a_finished_run_is_not_refused(slow_study, tmp_path):
    api.run(slow_study, tmp_path / "run", workers=0, force_bfloat16=True)
    assert len(api.run(slow_study, tmp_path / "run", workers=0)) == 1


def test_float32_asks_nothing(slow_study, monkeypatch):
    slow_study.write_text(SMALL.replace(", precision: bfloat16", ""))
    measured = device_that(monkeypatch, False, SLOW)
    commands.check(slow_study)
    assert measured == []
