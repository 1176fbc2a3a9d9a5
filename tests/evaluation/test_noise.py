"""The noise of a score is that of a study's cap."""

import torch

from coequal.contract import Dataset, Split
from coequal.evaluation import noise
from coequal.images import match_dtype
from coequal.inputs.load import from_array, from_split
from coequal.rng import Rng
from coequal.seeds import seed_for


def test_a_split_s_noise_is_the_study_s_whatever_is_drawn_at_once(monkeypatch):
    splits = [Split(torch.full((6, 3, 4, 4), 7, dtype=torch.uint8)) for _ in range(3)]
    data = Dataset("mine", *splits)
    # What `Instrument.bounds` draws: one stream, named after the dataset, all images in one call.
    wanted = match_dtype(Rng(seed_for("cap", "mine")).uniform(50, 3, 4, 4), torch.uint8)
    for at_once in (1 << 24, 7 * 48):
        monkeypatch.setattr(noise, "_DRAWN_AT_ONCE", at_once)
        found = noise.noise_like(from_split("mine", data, "test"), 50)
        assert torch.equal(found.images.whole, wanted)


def test_features_have_no_noise():
    assert noise.noise_like(from_array(Rng(0).normal(5, 4), "features"), 5) is None
