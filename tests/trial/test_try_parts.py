"""Parts are tried before anything is trained: one sentence for each mistake, with its line."""

import re
from pathlib import Path

import pytest
import tried_parts

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.check import checked
from coequal.study.document import PartsError, StudyError
from coequal.study.spec import Study
from coequal.trial.try_parts import refuse_failing_study, try_study

STUDY = """\
study: tried
data: [{data}]
models:
  - name: mine
    objective: "tried_parts:{loss}"
    settings: {{learning_rate: 2.0e-4, beta1: 0.5, discriminator_per_generator: 2}}
architecture: {{name: "tried_parts:{nets}"}}
search: {{settings: 0}}
training: {{budget: {{discriminator_steps: 4}}, checkpoints: 1, batch_size: 16}}
evaluation: {{encoder: {encoder}, samples: 300, metrics: [{metric}]}}
select: {{metric: {chooses}}}
"""
GOOD = {
    "data": "digits",
    "loss": "Good",
    "nets": "SmallNets",
    "encoder": "pixels",
    "metric": "fd",
    "chooses": "fd",
}


def study_file(folder: Path, **parts: str) -> Path:
    path = folder / "tried.yaml"
    path.write_text(STUDY.format(**GOOD | parts))
    return path


def refused(folder: Path, **parts: str) -> str:
    """What `coequal check` says of a study with these parts."""
    path = study_file(folder, **parts)
    study, text = checked(path)
    with pytest.raises(StudyError) as caught:
        refuse_failing_study(
            path, study, text, device="cpu", data_dir=folder, log=lambda line: None
        )
    (problem,) = caught.value.problems
    return problem.text("tried.yaml")


def line(name: str) -> str:
    """Where the comment `line NAME` stands among the parts."""
    lines = Path(tried_parts.__file__).read_text().splitlines()
    (found,) = (at for at, text in enumerate(lines, 1) if text.endswith(f"# line {name}"))
    return f"(tried_parts.py:{found})"


LOSSES = {
    "Typo": "AttributeError: 'Logits' object has no attribute 'logit'; did you mean 'logits'?",
    "NotScalar": "NotScalar.discriminator_loss must return a scalar as value, the mean over the "
    "batch, got a tensor of shape (8,)",
    "Bare": "Bare.discriminator_loss must return Loss(value, parts, state), got a scalar tensor",
    "OldArguments": "OldArguments.discriminator_loss must take (discriminate, batch), and takes "
    "(real_logits, fake_logits, state)",
    "GlobalDraws": "GlobalDraws.discriminator_loss drew from the global random generator of torch, "
    "so a trial could not be repeated; draw from batch.rng (uniform, normal, integers, "
    "permutation)",
}


@pytest.mark.parametrize(("loss", "message"), LOSSES.items(), ids=LOSSES)
def test_a_wrong_loss_gives_one_sentence_with_its_line(tmp_path, loss, message):
    assert refused(tmp_path, loss=loss) == f"tried.yaml:4: models.0: {message} {line(loss)}"


def test_an_infinite_loss_names_the_loss(tmp_path):
    text = refused(tmp_path, loss="Infinite")
    assert "the discriminator's loss was inf at step 1 (tried_parts.py:" in text


NETS = {
    "FlatNets": (
        "FlatLogits.forward must give one number an image as logits, got a tensor of shape (8, 1)",
        "FlatLogits",
    ),
    "DropoutNets": (
        "Dropout.forward drew from the global random generator of torch, so a trial could not be "
        "repeated; a StochasticLayer draws from its stream",
        "Dropout",
    ),
    "ByteNets": ("Bytes.forward must make float images, got torch.uint8", "Bytes"),
    "NotFiniteNets": (
        "NotFinite.forward made images that are not finite, before any training",
        "NotFinite",
    ),
    "IncompleteNets": (
        "TypeError: Can't instantiate abstract class NoLatents with abstract method latents",
        "IncompleteNets",
    ),
}


@pytest.mark.parametrize(("nets", "said"), NETS.items(), ids=NETS)
def test_wrong_nets_give_one_sentence_with_their_line(tmp_path, nets, said):
    message, place = said
    assert refused(tmp_path, nets=nets) == f"tried.yaml:4: models.0: {message} {line(place)}"


METRICS = {
    "PlainNumber": r"PlainNumber: must give MetricValue\(number\) for closeness, not 0\.5",
    "NotANumber": "NotANumber gave nan for closeness, of 300 sound images",
    "WrongShape": r"RuntimeError: The size of tensor a \(16\) must match",
    "DrawingMetric": "DrawingMetric.compute_values drew from the global random generator of NumPy, "
    ".*; draw from the rng that it is given",
}


@pytest.mark.parametrize(("metric", "message"), METRICS.items(), ids=METRICS)
def test_a_wrong_metric_gives_one_sentence_with_its_line(tmp_path, metric, message):
    text = refused(tmp_path, metric=f'"tried_parts:{metric}"', chooses="closeness")
    assert re.search(rf"evaluation.metrics: {message}", text), text
    if metric in ("NotANumber", "WrongShape", "DrawingMetric"):
        assert text.endswith(line(metric))
    else:
        assert "(tried_parts.py:" in text


ENCODERS = {
    "DoubleMeans": "features must be float32, .*; not torch.float64 of shape",
    "OneMean": r"features must be .* a row for each image, .*; not torch.float32 of shape \(\)",
    "NotFiniteMeans": "features must be finite",
}


@pytest.mark.parametrize(("encoder", "message"), ENCODERS.items(), ids=ENCODERS)
def test_a_wrong_encoder_gives_one_sentence_with_its_line(tmp_path, encoder, message):
    text = refused(tmp_path, encoder=f'"tried_parts:{encoder}"')
    pattern = rf"evaluation.encoder: {encoder}: {message}.* \(tried_parts\.py:\d+\)"
    assert re.search(pattern, text), text


def test_an_encoder_without_a_method_is_refused_before_it_is_tried(tmp_path):
    with pytest.raises(StudyError) as caught:
        checked(study_file(tmp_path, encoder='"tried_parts:NoFeatures"'))
    text = f"lacks features, which every Encoder has {line('NoFeatures')}"
    assert text in caught.value.problems[0].message


DATA = {
    "three_axes": r"must hold uint8 or float32 images \(n, c, h, w\), not .* \(100, 8, 8\)",
    "doubles": "must hold uint8 or float32 images .*, not torch.float64",
    "not_finite": r"has float images outside \[0, 1\]: nan",
    "nothing": "returned a NoneType; it must return a Dataset",
    "raising": "failed: AttributeError: 'Tensor' object has no attribute 'no_such'",
    "drawing": "drew from the global random generator of torch; draw from one of its own",
}


@pytest.mark.parametrize(("data", "message"), DATA.items(), ids=DATA)
def test_a_wrong_data_set_gives_one_sentence_with_its_line(tmp_path, data, message):
    text = refused(tmp_path, data=f'"tried_parts:{data}"')
    pattern = rf"tried.yaml:2: data.0: tried_parts:{data}:? .*{message}.*\(tried_parts\.py:\d+\)"
    assert re.search(pattern, text), text


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"loss": "OfItsBatch"},
        {"metric": '"tried_parts:Closeness"', "chooses": "closeness"},
        {"metric": '"tried_parts:NeedsMany"', "chooses": "closeness"},
        {"encoder": '"tried_parts:Means"', "data": '"tried_parts:good_data"'},
    ],
    ids=str,
)
def test_good_parts_pass(tmp_path, parts):
    study, _ = checked(study_file(tmp_path, **parts))
    assert try_study(study, device="cpu", data_dir=tmp_path, log=lambda line: None) == []


def test_no_data_set_of_ours_is_read(tmp_path, monkeypatch):
    """Noise of its form stands in: Fashion-MNIST need not be here."""
    monkeypatch.setattr("coequal.trial.try_parts.load_dataset", None)
    study, _ = checked(study_file(tmp_path, data="fashion_mnist, triangles, cifar10"))
    assert try_study(study, device="cpu", data_dir=tmp_path, log=lambda line: None) == []


def test_a_run_tries_its_parts_and_trains_nothing_if_they_fail(tmp_path):
    study, _ = checked(study_file(tmp_path, loss="Typo"))
    with pytest.raises(PartsError, match=r"mine: AttributeError: .*tried_parts\.py:\d+\)\n"):
        api.run(study, tmp_path / "run", workers=0)
    assert not list((tmp_path / "run").glob("trials/*/*"))
    results = api.run(study, tmp_path / "run", workers=0, try_parts=False).trials
    assert [result.status for result in results.values()] == ["failed"]


def test_parts_from_outside_are_tried_again_when_a_run_goes_on(tmp_path, monkeypatch):
    """The loss may have been changed since the references were made."""
    study, _ = checked(study_file(tmp_path))
    out = RunFolder(tmp_path / "run")
    api.run(study, out.path, workers=0)
    monkeypatch.setattr(tried_parts.Good, "discriminator_loss", tried_parts.Bare.discriminator_loss)
    longer = study.model_copy(update={"seed": 1})
    with pytest.raises(PartsError, match="mine: "):
        api.run(Study.model_validate(longer.as_dict()), tmp_path / "other", workers=0)
    (result,) = out.path.glob("trials/*/*/result.json")
    result.unlink()
    with pytest.raises(PartsError, match="mine: "):
        api.run(study, out.path, workers=0)
