"""Which encoder a score takes when none is named: encoders rank themselves."""

from coequal import lookup
from coequal.contract import Dataset, Split
from coequal.evaluation.encoder_choice import _default_encoder
from coequal.rng import Rng

IMAGES = Split(Rng(0).integers(256, 8 * 64).view(8, 1, 8, 8).byte())


def test_the_lowest_rank_is_tried_first_and_none_is_never_tried(monkeypatch):
    data = Dataset("x", IMAGES, IMAGES, IMAGES)
    pixels = lookup.load("encoders", "pixels")
    monkeypatch.setattr(pixels, "default_rank", 1)
    assert _default_encoder(data) == ("pixels", "default for x")
    monkeypatch.setattr(pixels, "default_rank", None)
    for name in ("inception", "efficientnet_lite0"):
        kind = lookup.load("encoders", name)
        monkeypatch.setattr(kind, "available", classmethod(lambda cls: None))
    assert _default_encoder(data)[0] == "inception"
