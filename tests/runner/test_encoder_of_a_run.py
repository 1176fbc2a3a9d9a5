"""A run keeps the weights of the small encoder that measures it, and goes on with them."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from coequal import api
from coequal.encoders import _small_net
from coequal.results.folder import RunFolder
from coequal.results.merge import merge
from coequal.runner.forecast import plan_of
from coequal.study.spec import Study

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 1},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "classifier", "samples": 200},
}
SHIPPED = Path(_small_net.__file__).parent / "weights"


def study(*models: str) -> Study:
    return Study.model_validate({**TINY, "models": list(models)})


def run(out: Path, *models: str, **options):  # type: ignore[no-untyped-def]
    return api.run(study(*models), out, workers=0, **options).trials


def encoder(out: Path) -> str:
    return str(RunFolder(out).references()["digits"]["encoder"])


def kept(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "encoders").iterdir()}


def change(path: Path, target: Path, by: float) -> None:
    """Write other weights of the same form, under the same name."""
    weights = load_file(path)
    last = list(weights)[-1]
    save_file({**weights, last: weights[last] + by}, target, metadata={"test accuracy": "99.0%"})


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A run that was measured by weights which are nowhere else."""
    module = tmp_path / "package" / "classifier.py"
    (module.parent / "weights").mkdir(parents=True)
    for path in SHIPPED.glob("classifier-*"):
        change(path, module.parent / "weights" / path.name, 1e-3)
    with monkeypatch.context() as patch:
        patch.setattr("coequal.evaluation.encoder_choice.inspect.getfile", lambda kind: module)
        run(tmp_path / "elsewhere", "ns_gan")
    return Path(tmp_path / "elsewhere")


def test_the_folder_holds_the_encoder_and_the_reference_its_hash(tmp_path):
    run(tmp_path / "run", "ns_gan")
    ((name, content),) = kept(tmp_path / "run").items()
    assert content == (SHIPPED / name).read_bytes()
    known = RunFolder(tmp_path / "run").references()["digits"]["encoder_file"]
    assert known["name"] == name
    assert len(known["sha256"]) == 64


def test_a_run_of_another_machine_goes_on_with_its_own_encoder(elsewhere, tmp_path):
    run(tmp_path / "here", "ns_gan")
    assert encoder(elsewhere) != encoder(tmp_path / "here")
    results = run(elsewhere, "ns_gan", "vae")
    measured = [series for result in results.values() for series in result.checkpoints.measured]
    assert {result.status for result in results.values()} == {"done"}
    assert {s.protocol.split()[0] for s in measured} == {f"encoder={encoder(elsewhere)}"}


def test_reused_results_bring_their_encoder(elsewhere, tmp_path):
    results = run(tmp_path / "new", "ns_gan", "vae", reuse=elsewhere)
    assert encoder(tmp_path / "new") == encoder(elsewhere)
    assert (
        len((tmp_path / "new" / "reused.jsonl").read_text().splitlines()) == 2
    )  # settings 0 and 1
    assert {result.trial.model for result in results.values()} == {"ns_gan", "vae"}
    # A folder that only takes results over has the encoder, too.
    run(tmp_path / "copy", "ns_gan", reuse=elsewhere)
    assert kept(tmp_path / "copy") == kept(elsewhere)


def test_an_encoder_that_was_tampered_with_is_refused_by_its_hash(elsewhere, tmp_path):
    (path,) = (elsewhere / "encoders").iterdir()
    change(path, path, 1.0)
    with pytest.raises(OSError, match=f"{path} has SHA-256 .*references.json says"):
        run(elsewhere, "ns_gan", "vae")
    with pytest.raises(OSError, match="is not the encoder that measured this run"):
        run(tmp_path / "new", "ns_gan", "vae", reuse=elsewhere)


def test_a_reference_can_not_name_a_file_outside_of_the_folder(elsewhere, tmp_path):
    path = elsewhere / "references.json"
    references = json.loads(path.read_text())
    references["digits"]["encoder_file"]["name"] = "../study.json"
    path.write_text(json.dumps(references))
    with pytest.raises(OSError, match="which is no plain name"):
        run(tmp_path / "new", "ns_gan", "vae", reuse=elsewhere)


def test_a_run_without_its_file_takes_the_same_weights_from_elsewhere(tmp_path):
    run(tmp_path / "run", "ns_gan")
    shutil.rmtree(tmp_path / "run" / "encoders")
    results = run(tmp_path / "run", "ns_gan", "vae")
    assert {result.status for result in results.values()} == {"done"}


def test_a_plan_writes_nothing_into_a_new_folder(tmp_path):
    plan_of(study("ns_gan"), tmp_path / "run", workers=1)
    assert not (tmp_path / "run").exists()


def test_joined_runs_hold_their_encoder(tmp_path):
    for name, model in (("one", "ns_gan"), ("other", "vae")):
        run(tmp_path / name, model)
    merge([RunFolder(tmp_path / name) for name in ("one", "other")], RunFolder(tmp_path / "both"))
    assert kept(tmp_path / "both") == kept(tmp_path / "one")
