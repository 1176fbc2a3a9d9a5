"""Which encoder a score takes when none is named: encoders rank themselves."""

from coequal import lookup, score
from coequal.contract import Dataset, Split
from coequal.evaluation.encoder_choice import _default_encoder
from coequal.rng import Rng

IMAGES = Split(Rng(0).integers(256, 8 * 64).view(8, 1, 8, 8).byte())


def test_the_lowest_rank_is_tried_first_and_none_is_never_tried(monkeypatch):
    data = Dataset("x", IMAGES, IMAGES, IMAGES)
    pixels = lookup.load("encoders", "pixels")
    monkeypatch.setattr(pixels, "default_rank", 1)
    assert _default_encoder(data) == ("pixels", "default for x", [])
    monkeypatch.setattr(pixels, "default_rank", None)
    for name in ("inception", "efficientnet_lite0"):
        kind = lookup.load("encoders", name)
        monkeypatch.setattr(kind, "available", classmethod(lambda cls: None))
    assert _default_encoder(data)[0] == "inception"


def away(monkeypatch, **reasons):
    for name, reason in reasons.items():
        kind = lookup.load("encoders", name)
        monkeypatch.setattr(kind, "available", classmethod(lambda cls, why=reason: why))


def test_what_another_machine_would_have_taken_is_said(monkeypatch, tmp_path):
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package")
    warnings = [
        "encoder pixels took the place of inception: its numbers are not comparable with those of "
        "inception or with published FIDs. No weights here",
        "encoder pixels took the place of efficientnet_lite0: its numbers are not comparable with "
        "those of efficientnet_lite0. No package",
    ]
    why = "default for an array; inception and efficientnet_lite0 could not be had"
    images = IMAGES.images.whole
    found = score(real=images, fake=images, metrics="fd", sheet=tmp_path / "near.html")
    assert found["encoder"]["chosen"] == why
    assert found["warnings"][:2] == warnings
    page = (tmp_path / "near.html").read_text()
    assert f"<p>Encoder {found['encoder']['id']} ({why}).</p>" in page
    assert all(f"<p>{warning}</p>" in page for warning in warnings)


def test_what_no_machine_could_take_for_these_images_is_no_warning(monkeypatch):
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package")
    points = Split(Rng(0).uniform(8, 2, 1, 1))
    why = "default for x; inception and efficientnet_lite0 could not be had"
    assert _default_encoder(Dataset("x", points, points, points)) == ("pixels", why, [])
