"""The loop: who moves when, what is counted, what stops it."""

import numpy as np
import pytest
import torch

from coequal.contract import Samples, Split
from coequal.contract.data import in_file
from coequal.training import batches as training_batches
from coequal.training.active_tricks import DiscriminatorView
from coequal.training.batches import Batches
from coequal.training.loop import Diverged
from coequal.training.settings import Training

from toys import ALL, Exploding, Forgetful, LazyR1, split, trainer


def test_the_budget_counts_steps_of_the_discriminator():
    one = trainer(ALL["non_saturating"](), ratio=3)
    one.train_until(10)
    # The generator moves after steps 3, 6 and 9; each of D's steps uses 8 fresh real images.
    assert (one.spent.discriminator_steps, one.spent.generator_steps) == (10, 3)
    assert one.spent.images == 80
    assert one.spent.seconds > 0


def test_a_model_of_one_player_spends_the_same_budget():
    one = trainer(ALL["vae"]())
    one.train_until(10)
    spent = one.spent
    assert (spent.discriminator_steps, spent.generator_steps, spent.images) == (10, 10, 80)


def test_flops_of_a_vae_by_hand():
    # Width 1/32 on 8x8: channels 2 and 4, hidden 32, 4 latents, batch 8; a multiply-add is 2 FLOPs.
    # Encoder: conv 1->2 (4x4 taps, 4x4 places): 16*1*2*16 = 512; conv 2->4 at 2x2 places: 16*2*4*4
    # = 512;   dense 16->32: 512; posterior 32->8: 256. Decoder: 4->32: 128; 32->16: 512; deconv
    # 4->2 from 2x2   places: 4*2*16*4 = 512; deconv 2->1 from 4x4 places: 2*1*16*16 = 512. Sum 3456
    # multiply-adds. Backward costs twice the forward, less the gradient by the images (512) that
    # nobody needs.
    one = trainer(ALL["vae"](), ema=None)
    one.train_until(1)
    assert one.spent.flops == 8 * 2 * (3 * 3456 - 512)


def test_wgan_keeps_weights_within_the_bound_and_leaves_the_rest():
    kind = ALL["wasserstein"]
    one = trainer(kind(weight_bound=1 / 256))
    one.train_until(5)
    weights = [p for p in one.discriminator.parameters() if p.ndim >= 2]
    others = [p for p in one.discriminator.parameters() if p.ndim < 2]
    assert max(float(w.detach().abs().max()) for w in weights) <= 1 / 256
    assert max(float(o.detach().abs().max()) for o in others) > 0.5  # BatchNorm's scales are 1


def test_a_loss_that_is_not_finite_ends_the_trial():
    one = trainer(Exploding())
    with pytest.raises(Diverged, match=r"discriminator's loss was (inf|-inf|nan) at step 3"):
        one.train_until(10)
    assert one.spent.discriminator_steps == 2


def test_images_that_are_not_finite_end_the_trial():
    one = trainer(ALL["non_saturating"]())
    one.train_until(1)
    with torch.no_grad():
        next(iter(one.generator.parameters())).fill_(float("nan"))
    with pytest.raises(Diverged, match="8 of 8 generated images held NaN or infinity at step 2"):
        one.train_until(2)


def test_another_state_than_the_first_is_refused():
    with pytest.raises(
        ValueError,
        match=r"Forgetful.discriminator_loss returned the state \[\] and began with \['k'\]",
    ):
        trainer(Forgetful()).train_until(1)


def test_lazy_losses_come_every_nth_step_times_n():
    often, seldom = trainer(LazyR1(every=1)), trainer(LazyR1(every=4))
    for one in (often, seldom):
        one.train_until(9)
    counts = {k: v for k, v in seldom.curves.counts.items() if k == "discriminator.r1"}
    assert counts["discriminator.r1"].nonzero().flatten().tolist() == [0, 4, 8]
    assert seldom.spent.flops < often.spent.flops
    assert set(seldom.flops_of_moves) == {"discriminator:4", "discriminator:", "generator:"}


def test_the_view_asks_the_discriminator_once_for_one_batch():
    asked = []
    net = torch.nn.Module()
    net.forward = lambda samples: asked.append(samples) or len(asked)  # type: ignore[method-assign]
    view, batch = DiscriminatorView(net), Samples(torch.zeros(1, 1, 2, 2))
    assert view(batch) == view(batch) == 1
    assert view(batch.at(batch.images)) == 2  # another object is another batch


def test_the_average_trails_the_generator():
    one = trainer(ALL["non_saturating"](), ema=0.5)
    start = one.average.state_dict()["decoder.0.weight"].clone()
    one.train_until(1)
    new = one.generator.state_dict()["decoder.0.weight"]
    torch.testing.assert_close(one.average.state_dict()["decoder.0.weight"], (start + new) / 2)
    assert one.evaluated is one.average
    plain = trainer(ALL["non_saturating"](), ema=None)
    assert plain.evaluated is plain.generator


def test_bfloat16_changes_the_numbers_and_leaves_parameters_float32():
    full, half = (trainer(ALL["wgan_gp"](), precision=p) for p in ("float32", "bfloat16"))
    for one in (full, half):
        one.train_until(4)
    a, b = (one.generator.state_dict()["decoder.0.weight"] for one in (full, half))
    assert a.dtype == b.dtype == torch.float32
    assert not torch.equal(a, b)
    torch.testing.assert_close(a, b, atol=0.02, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_every_objective_runs_in_bfloat16(name):
    one = trainer(ALL[name](), precision="bfloat16")
    one.train_until(3)
    assert one.steps_done == 3


def test_gradients_that_reach_fused_adam_are_contiguous():
    # torch's fused Adam on a CPU silently updates the wrong elements where they are not.
    for name in ("wgan_gp", "dragan", "began"):
        one = trainer(ALL[name](), batch_norm=False)
        one.train_until(2)
        grads = [p.grad for net in one.nets().values() for p in net.parameters()]
        assert all(g is None or g.is_contiguous() for g in grads)


def test_an_epoch_shows_every_image_once_and_the_next_in_another_order():
    data = split(20)
    batches = Batches(data, 5, seed=3, device=torch.device("cpu"))
    seen = [torch.cat([batches.draw().images for _ in range(4)]) for _ in range(2)]
    real = data.images.whole.float() / 255
    for epoch in seen:
        assert sorted(epoch.flatten(1).sum(1).tolist()) == pytest.approx(
            sorted(real.flatten(1).sum(1).tolist())
        )
    assert not torch.equal(*seen)
    assert seen[0].max() <= 1


def test_batches_of_images_in_a_file_are_those_of_images_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(training_batches, "MAX_BYTES_ON_CPU", 20 * 64)
    for count, held in ((20, True), (21, False)):  # images of 64 bytes
        data = split(count)
        np.save(tmp_path / f"{count}.npy", data.images.whole.numpy())
        filed = Split(in_file(tmp_path / f"{count}.npy"), data.labels)
        one, other = (Batches(each, 5, 3, torch.device("cpu")) for each in (data, filed))
        assert isinstance(one.images, torch.Tensor)
        assert isinstance(other.images, torch.Tensor) == held
        for batches in (one, other):
            batches.restore(2, 10)
        for _ in range(6):  # beyond the end of the epoch
            a, b = one.draw(), other.draw()
            assert torch.equal(a.images, b.images)
            assert torch.equal(a.labels, b.labels)


def test_a_split_smaller_than_a_batch_is_refused():
    with pytest.raises(ValueError, match="has 20 images, fewer than batch_size 64"):
        Batches(split(20), 64, 0, torch.device("cpu"))


def test_schedule_ends_with_the_budget():
    assert Training(1000, checkpoints=3).schedule() == [333, 666, 1000]
    assert Training(2, checkpoints=5).schedule() == [1, 2]


def test_curves_keep_means_at_fixed_size():
    from coequal.training.loss_curves import Curves

    curves, part = Curves(), Curves()
    for step in range(2500):
        curves.add(step, {"loss": float(step)})
        if step == 1999:
            part.restore(curves.state())
    for step in range(2000, 2500):
        part.add(step, {"loss": float(step)})
    arrays = curves.arrays()
    # Above 1,000 steps two to a point, above 2,000 four: 2,500 / 4 = 625 points.
    assert len(arrays["loss"]) == len(arrays["step"]) == 625
    assert arrays["loss"][0] == 1.5  # mean of 0, 1, 2, 3
    assert arrays["step"][-1] == 2500
    assert np.isfinite(arrays["loss"]).all()
    assert np.array_equal(part.arrays()["loss"], arrays["loss"])


def test_a_budget_in_images_or_flops_ends_with_the_step_that_reaches_it():
    # 8 images a step: 50 images are reached by the 7th step.
    one = trainer(ALL["non_saturating"]())
    one.training = Training(50, 8, checkpoints=2, unit="images")
    assert one.training.schedule() == [25, 50]
    one.train_until(25)
    assert one.steps_done == 4  # 24 images are fewer than 25
    one.train_until(50)
    assert (one.steps_done, one.spent.images) == (7, 56)
    per_step = one.spent.flops / 7
    two = trainer(ALL["non_saturating"]())
    two.training = Training(2.5 * per_step, 8, unit="flops")
    two.train_until(two.training.amount)
    assert two.steps_done == 3


def test_a_budget_in_seconds_counts_training_alone(monkeypatch):
    import time

    clock = iter(range(1000))  # every look at the clock is a second later: a step takes one
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    one = trainer(ALL["non_saturating"]())
    one.training = Training(3.0, 8, unit="seconds")
    one.train_until(3.0)
    assert (one.steps_done, one.spent.seconds) == (3, 3.0)


def test_training_comes_back_after_so_many_steps():
    one = trainer(ALL["non_saturating"]())
    one.train_until(20, at_most_steps=4)
    assert one.steps_done == 4


def test_optimiser_settings_each_change_something():
    base = {"learning_rate": 1e-3, "ratio": 1}
    seen = []
    for changed in ({}, {"learning_rate": 2e-3}, {"ratio": 2}):
        one = trainer(ALL["non_saturating"](), **{**base, **changed})
        one.train_until(4)
        seen.append(one.generator.state_dict()["decoder.0.weight"])
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
