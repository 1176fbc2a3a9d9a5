"""The monitor: numbers by hand, and not a bit of the training moved."""

import numpy as np
import pytest
import torch
from torch import nn

from coequal.contract import Dataset, Encoder, Samples, Split
from coequal.health.signals import NAMES, load
from coequal.monitoring import monitor, reference
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.probe import as_in_training, auc, effective_classes
from coequal.monitoring.reference import RealReference, mean_distance, spread_and_nearest
from coequal.training import checkpoint
from coequal.training.tricks import Tricks

from toys import ALL, SHAPE, AcGan, ConditionalNets, split, trainer

DATA = Dataset("toy", split(), split(64), split(64), ("a", "b"))


class Brightness(Encoder):
    """One feature, the mean pixel; class b is what is brighter than a half."""

    id = "brightness"
    knows_classes = True

    @classmethod
    def unsupported_reason(cls, dataset):  # type: ignore[no-untyped-def]
        return None

    @classmethod
    def prepare(cls, dataset, cache, log):  # type: ignore[no-untyped-def]
        return cls()

    def features(self, images):  # type: ignore[no-untyped-def]
        scale = 1 if images.is_floating_point() else 255
        return images.float().flatten(1).mean(1, keepdim=True) / scale

    def probabilities(self, features):  # type: ignore[no-untyped-def]
        bright = (features > 0.5).float()
        return torch.cat([1 - bright, bright], 1)


@pytest.fixture(autouse=True)
def _often(monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(monitor, "STEPS_PER_PROBE", 2)
    monkeypatch.setattr(monitor, "MOVES_PER_RECORD", 1)


def watched(name="non_saturating", encoder=None, **more):  # type: ignore[no-untyped-def]
    one = trainer(ALL[name](), **more)
    one.monitor = Monitor(RealReference(DATA, encoder), 3, one.generator)
    return one


def nets(one) -> dict[str, torch.Tensor]:  # type: ignore[no-untyped-def]
    return {k: v for k, v in checkpoint.tensors(one).items() if not k.startswith("health/")}


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_watched_run_is_the_same_run(name, batch_norm):
    plain = trainer(ALL[name](), batch_norm=batch_norm)
    one = watched(name, Brightness(), batch_norm=batch_norm)
    plain.train_until(9)
    one.train_until(9)
    expected, found = nets(plain), nets(one)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert one.spent.flops == plain.spent.flops
    assert len(one.monitor.rows) == 4
    assert one.generator.training
    assert not np.isnan(one.monitor.signals["loss_generator"]).any()


@pytest.mark.parametrize(
    "tricks", [{}, {"label_smoothing": 0.3, "label_flips": 0.5}, {"instance_noise": 0.1}]
)
def test_resumed_it_goes_on_bit_for_bit(tmp_path, tricks):
    whole = watched(encoder=Brightness(), tricks=Tricks(**tricks))
    whole.train_until(15)
    first = watched(encoder=Brightness(), tricks=Tricks(**tricks))
    first.train_until(7)  # in the middle between two probes
    checkpoint.save(first, tmp_path / "c")
    second = watched(encoder=Brightness(), tricks=Tricks(**tricks))
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(15)
    assert np.array_equal(
        whole.monitor.signals.values, second.monitor.signals.values, equal_nan=True
    )
    assert np.array_equal(whole.monitor.signals.counts, second.monitor.signals.counts)


def test_a_checkpoint_without_watching_can_be_watched(tmp_path):
    first = trainer(ALL["non_saturating"]())
    first.train_until(4)
    checkpoint.save(first, tmp_path / "c")
    second = watched()
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(8)
    assert second.monitor.signals["step"].tolist() == [6, 8]


def test_auc_by_hand():
    # Pairs (2 1) (2 3) (3 1) (3 3): right, wrong, right, tie: 2.5 of 4.
    assert float(auc(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 3.0]))) == 2.5 / 4
    assert float(auc(torch.ones(3), torch.ones(5))) == 0.5


def test_distances_by_hand():
    # 0, 3 and 4 on a line: pairs 3, 4 and 1: mean 8 / 3; nearest 3, 1 and 1: median 1.
    rows = torch.tensor([[0.0], [3.0], [4.0]])
    spread, nearest = spread_and_nearest(rows)
    assert float(spread) == pytest.approx(8 / 3)
    assert nearest.tolist() == [3, 1, 1]
    assert mean_distance((rows, torch.zeros(2, 1))) == pytest.approx(4 / 3)


def test_copies_are_at_zero_exactly():
    image = torch.rand(1, 784)
    assert spread_and_nearest(image.repeat(64, 1))[1].tolist() == [0] * 64


def test_labels_that_changed_sides_do_not_change_the_auc():
    # All rows exchanged at every move: what the discriminator learns is the opposite, and what it
    # says of real images is still read as of real images.
    plain, flipped = watched(), watched(tricks=Tricks(label_flips=0.999999))
    for one in (plain, flipped):
        one.train_until(20)
    assert plain.monitor.signals["auc"][-3:].mean() > 0.6
    assert flipped.monitor.signals["auc"][-3:].mean() < 0.4


def test_signals_of_a_frozen_generator():
    one = watched(encoder=Brightness())
    for group in one.optimisers["generator"].param_groups:
        group["lr"] = 0.0
    one.train_until(20)
    found = one.monitor.signals
    assert found["movement"][4:].max() == 0
    assert np.isnan(found["movement"][:4]).all()  # nothing to compare with yet
    assert found["rate"].tolist() == [0.0] * 10
    assert found["shift"][1:].max() == 0


def test_what_a_classifier_takes_images_for():
    one = watched(encoder=Brightness())
    one.train_until(4)
    found = one.monitor.signals
    # 2 moves of 8 images since the last probe, all of them counted; none at every second probe.
    assert found.counts.sum(1).tolist() == [16, 0]
    assert found["feature_gap"][0] == found["feature_gap"][1]  # as it was
    assert found.real_fractions.sum() == pytest.approx(1)
    assert found.classes == ("a", "b")


def test_effective_numbers_by_hand():
    # Two classes with a half each, and one of four with all: exp(ln 2) = 2, exp(0) = 1.
    assert float(effective_classes(torch.tensor([8.0, 8.0]))) == pytest.approx(2)
    assert float(effective_classes(torch.tensor([0.0, 5.0, 0.0, 0.0]))) == pytest.approx(1)
    one = watched(encoder=Brightness())
    for group in one.optimisers["generator"].param_groups:
        group["lr"] = 0.0
    forward = one.generator.forward
    latents = one.monitor.request.latents[0]

    def halves(request):  # type: ignore[no-untyped-def]
        rows = request.latents[0].clone()
        if len(rows) == reference.IMAGES_PER_PROBE:  # the second half is 32 copies of one
            rows[32:] = latents[0]
        return forward(type(request)((rows,), request.conditions))

    one.generator.forward = halves
    one.monitor.reference.nearest = 1e-4  # nets this young make nearly one image
    one.train_until(8)
    found = one.monitor.signals
    assert found["distinct"].tolist() == [31 / 64] * 4  # the first of the 64 is a copy, too
    assert found["past_best"].tolist() == pytest.approx([1] * 4)  # it does not move
    assert found["modes"][1] == found["modes"][0]
    assert ((found["accuracy_real"] >= 0) & (found["accuracy_real"] <= 1)).all()


def test_without_a_discriminator_and_of_autoencoders():
    vae = watched("vae")
    vae.train_until(4)
    for name in ("auc", "logit", "held_out_auc", "gradient_discriminator"):
        assert np.isnan(vae.monitor.signals[name]).all()
    assert np.isfinite(vae.monitor.signals["spread"]).all()
    began = watched("began")
    began.train_until(4)
    assert np.isnan(began.monitor.signals["auc"]).all()
    assert np.isfinite(began.monitor.signals["held_out_auc"]).all()


def test_heads_and_generators_of_somebodys_own():
    one = trainer(AcGan(), architecture=ConditionalNets())
    one.monitor = Monitor(RealReference(DATA, None), 3, one.generator)
    one.train_until(4)
    assert np.isnan(one.monitor.signals["auc"]).all()  # a kind of head that it does not know
    assert np.isfinite(one.monitor.signals["spread"]).all()


def test_a_discriminator_that_knows_the_training_images():
    class Knows(nn.Module):
        """The logit is 1 for images of the training split."""

        def forward(self, samples: Samples):  # type: ignore[no-untyped-def]
            from coequal.contract import Logits

            known = RealReference(DATA, None).train.images.flatten(1)
            shown = samples.images.flatten(1)
            seen = (shown[:, None] == known[None]).all(2).any(1)
            return Logits(seen.float(), shown)

    other = Split(255 - DATA.train.images.whole, DATA.train.labels)
    data = Dataset("toy", DATA.train, other, other, ("a", "b"))
    one = trainer(ALL["non_saturating"]())
    one.monitor = Monitor(RealReference(data, None), 3, one.generator)
    assert float(one.monitor._held_out_signals(Knows())["held_out_auc"]) == 1


def test_every_second_row_goes_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(monitor, "MAX_PROBES", 6)
    one = watched(encoder=Brightness())
    one.train_until(24)
    found = one.monitor.signals
    # Probes at 2 .. 12 fill six rows: 4, 8, 12 stay, and the next come every 4 steps: at 24 there
    # are six again: 8, 16, 24 stay.
    assert found["step"].tolist() == [8, 16, 24]
    assert one.monitor.every == 8
    # 16 images at every second probe: 2, 6, 10, and of those after that 20. 8 holds those of 2 and
    # 6, 16 those of 10, 24 those of 20.
    assert found.counts.sum(1).tolist() == [32, 16, 16]


def test_as_in_training_puts_everything_back():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    net.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with as_in_training(net):
        assert net[1].training
        net(torch.full((5, 3), torch.inf))  # whose averages are NaN
    assert not net[1].training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_the_file_gives_them_back(tmp_path):
    one = watched(encoder=Brightness())
    one.train_until(12)
    one.monitor.signals.save(tmp_path / "signals.npz")
    found, first = load(tmp_path / "signals.npz"), one.monitor.signals
    assert np.allclose(found.values, first.values, rtol=1e-6, equal_nan=True)
    assert np.array_equal(found.counts, first.counts)
    assert (found.classes, found.real.keys()) == (first.classes, first.real.keys())
    assert len(NAMES) == found.values.shape[1]
    (tmp_path / "other.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="holds no signals"):
        load(tmp_path / "other.npz")


def test_real_images_are_at_one():
    # What is relative to real images is 1 for real images: the first 64 held-out ones, in order.
    real = RealReference(DATA, None)
    rows = real.held_out.batch(0).images.flatten(1)
    spread, nearest = spread_and_nearest(rows)
    assert float(spread) / real.spread == pytest.approx(1)
    assert float(nearest.median()) / real.nearest == pytest.approx(1)
    assert real.held_out.batch(1).images.shape[0] == reference.IMAGES_PER_PROBE
    assert real.held_out.images.shape == (64, *SHAPE)
