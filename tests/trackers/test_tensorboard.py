"""TensorBoard: a sub-folder for each trial of a study, with everything that was measured."""

import pytest

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.spec import Study
from coequal.trackers._tracker import prepared

pytest.importorskip("tensorboard")

STUDY = {
    "study": "watched",
    "data": ["digits"],
    "models": ["ns_gan", "wgan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 60}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def test_each_trial_has_a_folder_with_signals_scores_pictures_and_words(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    api.run(
        Study.model_validate(STUDY),
        tmp_path / "run",
        workers=0,
        callbacks=[f"tensorboard:{tmp_path / 'board'}"],
    )
    results = RunFolder(tmp_path / "run").results()
    names = {f"{r.trial.model}_0-{r.trial.id[:8]}": r for r in results.values()}
    assert {path.name for path in (tmp_path / "board").iterdir()} == set(names)
    for name, result in names.items():
        found = EventAccumulator(str(tmp_path / "board" / name))
        found.Reload()
        assert [event.step for event in found.Scalars("loss/generator")] == [25, 50]
        assert [event.step for event in found.Scalars("health/auc")] == [25, 50]
        # TensorBoard keeps float32.
        expected = [pytest.approx(v) for v in result.checkpoints.values("fd", "test")]
        assert [event.value for event in found.Scalars("test/fd")] == expected
        assert [event.step for event in found.Scalars("test/fd")] == [30, 60]
        assert [event.step for event in found.Images("samples")] == [30, 60]
        assert found.Images("samples")[0].width == 8 * 9 - 1  # eight images of 8, a pixel between
        texts = {"trial/text_summary", "health/text_summary", "outcome/text_summary"}
        assert texts <= set(found.Tags()["tensors"])
        (text,) = found.Tensors("trial/text_summary")
        assert b"| learning_rate | 5e-05 |" in text.tensor_proto.string_val[0]
        plugins = found.SummaryMetadata("_hparams_/session_start_info").plugin_data
        assert plugins.plugin_name == "hparams"


def test_without_the_package_one_sentence_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("tensorboard:x", "mlflow:x", "wandb:x"):
        part = name.partition(":")[0]
        with pytest.raises(ValueError, match=rf"pip install 'coequal\[{part}\]'"):
            prepared(name, in_this_process=True)
