"""One way from images to numbers: a study's instrument and `coequal score` give the same ones."""

import pytest

import coequal
from coequal import lookup
from coequal.contract import Dataset, DensityGenerator, Generator
from coequal.datasets._loading import load_dataset
from coequal.encoders.pixels import Pixels
from coequal.evaluation.instrument import prepare
from coequal.evaluation.requested import requested_metrics
from coequal.evaluation.requirements import Available, unmet, unmet_requests
from coequal.files import cache_folder
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.metrics.bits_per_dimension import BitsPerDimension
from coequal.metrics.fd_per_class import FrechetDistancePerClass
from coequal.metrics.manifold import Manifold
from coequal.metrics.memorisation import Memorisation
from coequal.metrics.ms_ssim import PairSimilarity
from coequal.metrics.neighbours import Neighbours
from coequal.published_names import PublishedName, published_names

NAMES = [
    "fd",
    "fd_per_class",
    "kid",
    "precision",
    "one_nn",
    "memorisation",
    "is",
    "prd",
    "gan_test",
]
SETTINGS = {"gan_test": {"epochs": 0.2, "seeds": 1}}


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load_dataset("digits", tmp_path_factory.mktemp("data"))


def test_a_study_and_a_score_measure_alike(digits):
    requested = requested_metrics(NAMES, SETTINGS)
    # One cache for both: they name what they keep of real images apart, but the encoder alike.
    instrument = prepare(digits, "classifier", requested, 200, cache_folder(), lambda line: None)
    fake = digits.validation
    numbers = instrument.measure(fake.images.whole, "test", "", labels=fake.labels)
    scored = coequal.score(
        real="digits:test",
        fake="digits:validation",
        encoder="classifier",
        metrics=NAMES,
        settings=SETTINGS,
    )["metrics"]
    assert len(scored) > len(NAMES)
    assert list(scored) == list(numbers)
    for name, row in scored.items():
        number = numbers[name]
        assert row["value"] == number.value.value, name
        assert row["standard_error"] == number.value.standard_error, name
        assert row.get("interval") == (number.value.interval and list(number.value.interval)), name
        assert row.get("details") == number.value.details, name
        assert row["protocol"] == number.protocol, name
    start = f"encoder={instrument.encoder.id} real=test:{len(digits.test)} fake={len(fake)}"
    assert numbers["fd"].protocol == start
    assert numbers["precision"].protocol == f"{start} Neighbours(precision_k=3, density_k=5)"


def test_a_protocol_says_what_only_a_score_knows(digits):
    images, real = digits.validation.images[:60], digits.test.images[:50]
    common = {"fake": images, "encoder": "pixels", "metrics": ["fd"]}
    first = coequal.score(real="digits:test", **common)["metrics"]["fd"]["protocol"]
    assert first.endswith(" real=test:355 fake=60")
    arrays = coequal.score(real=real, seed=4, **common)["metrics"]["fd"]["protocol"]
    assert arrays.endswith(" real=50 fake=60 seed=4")


def test_a_note_on_drawing_stands_before_the_settings(digits, tmp_path):
    requested = requested_metrics(["fd", "precision"])
    instrument = prepare(digits, "pixels", requested, 20, tmp_path, lambda line: None)
    numbers = instrument.measure(digits.validation.images[:20], "test", "ema=none seed=trial")
    start = f"encoder={instrument.encoder.id} real=test:355 fake=20 ema=none seed=trial"
    assert numbers["fd"].protocol == start
    assert numbers["precision"].protocol == f"{start} Neighbours(precision_k=3, density_k=5)"


def test_each_split_is_encoded_once_whatever_the_metrics(digits, tmp_path, monkeypatch):
    encoded = []
    original = Pixels.features

    def counting(self, images):  # type: ignore[no-untyped-def]
        encoded.append(len(images))
        return original(self, images)

    monkeypatch.setattr(Pixels, "features", counting)
    requested = requested_metrics(["fd", "precision", "memorisation", "kid"])
    for _ in range(2):  # the second time all references are in the cache
        prepare(digits, "pixels", requested, 20, tmp_path, lambda line: None)
        assert sum(encoded) == len(digits.train) + len(digits.validation) + len(digits.test)


# -------------------------------------------------------------------------------------------- fid


def test_fid_is_a_name_where_the_encoder_is_fids(digits, tmp_path):
    def numbers(names: list[str]) -> dict[str, float]:
        requested = requested_metrics(names)
        instrument = prepare(digits, "toys:FidPixels", requested, 20, tmp_path, lambda line: None)
        measured = instrument.measure(digits.validation.images[:200], "test", "")
        return {name: number.value.value for name, number in measured.items()}

    plain, official = numbers(["fd"]), numbers(["fid"])
    assert list(plain) == ["fd", "fd_unbiased"]
    assert list(official) == ["fid"]
    assert official["fid"] == plain["fd"]
    common = {"real": "digits:test", "fake": digits.validation.images[:200]}
    scored = coequal.score(encoder="toys:FidPixels", **common)["metrics"]
    assert list(scored) == ["fid", "fd_unbiased", "precision", "recall"]  # by default
    assert scored["fid"]["value"] == plain["fd"]
    for names in (["fd", "fid"], ["fid", "fd_unbiased"]):
        scored = coequal.score(encoder="toys:FidPixels", metrics=names, **common)["metrics"]
        assert list(scored) == ["fid", "fd_unbiased"]
    every = coequal.score(encoder="toys:FidPixels", metrics="all", **common)
    assert "fid" in every["metrics"]
    assert "fd" not in every["metrics"]


def test_a_published_name_is_that_of_a_number_of_some_metric():
    metrics = [lookup.load("metrics", name) for name in lookup.names("metrics")]
    numbers = {key for metric in metrics for key in metric.outputs}
    known = published_names()
    assert not numbers & known.keys()
    assert {one.number for one in known.values()} <= numbers
    assert known["fid"] == PublishedName("fd", "FID", ("inception",))
    assert known["sfid"] == PublishedName("fd", "sFID", ("inception:spatial",))
    assert known["cmmd"] == PublishedName("mmd_cosine", "CMMD", ("clip:large-336",))
    assert known["fd_dinov2"] == PublishedName("fd", "FD-DINOv2", ("dinov2",))
    requested = requested_metrics(["FD-DINOv2", "fid"])
    assert requested.outputs == {"fd": ("fd_dinov2", "fid")}
    assert {key: info.label for key, info in requested.infos().items()} == {
        "fd": "FD",
        "fd_unbiased": "FD unbiased",
        "fd_dinov2": "FD-DINOv2",
        "fid": "FID",
    }
    missing = unmet_requests(requested, Available(published_names={"fd": "FD-DINOv2"}))
    assert list(missing) == ["fid"]
    assert missing["fid"].endswith("with the features given it is called fd_dinov2")
    assert unmet_requests(requested, Available()) == {}  # no encoder is known yet


def test_fid_is_refused_in_words_elsewhere(digits, tmp_path):
    reason = (
        "needs the features of encoder inception with .*; with the features given it is called fd"
    )
    with pytest.raises(ValueError, match=f"fid can't measure digits: {reason}"):
        prepare(digits, "pixels", requested_metrics(["fid"]), 20, tmp_path, lambda line: None)
    images = digits.validation.images[:200]
    with pytest.raises(ValueError, match=f"fid: {reason}"):
        coequal.score(real="digits:test", fake=images, metrics=["fid"], encoder="pixels")
    every = coequal.score(real="digits:test", fake=images, metrics="all", encoder="pixels")
    assert "fd" in every["metrics"]
    assert "fid" not in {*every["metrics"], *every["not_measured"]}


# ---------------------------------------------------------------------------------- what is needed


@pytest.mark.parametrize(
    ("metric", "available", "reason"),
    [
        (Neighbours(), Available(generator=None, images=False), None),
        (FrechetDistancePerClass(), Available(real_labels=False), "needs labels on both sides"),
        (FrechetDistancePerClass(), Available(fake_labels=False), "needs labels on both sides"),
        (FrechetDistancePerClass(), Available(class_mismatch="they differ"), "they differ"),
        (FrechetDistancePerClass(), Available(), None),
        (PairSimilarity(), Available(images=False), "needs images"),
        (Memorisation(), Available(train=False), "trained on (--train)"),
        (BitsPerDimension(), Available(generator=None), "needs the generator itself"),
        (BitsPerDimension(), Available(generator=Generator), "the probability of an image"),
        (BitsPerDimension(), Available(generator=DensityGenerator), None),
        (
            BitsPerDimension(),
            Available(conditional=True, real_labels=False),
            "the real images have no labels",
        ),
        (BitsPerDimension(), Available(conditional=True), None),
        (Manifold(), Available(), "needs polygons"),
        (Manifold(), Available(manifold=PolygonFamily(), generator=None), None),
    ],
    ids=str,
)
def test_what_a_metric_needs(metric, available, reason):
    found = unmet(metric, available)
    assert found is None if reason is None else reason in found


def test_reasons_are_all_given_at_once():
    found = unmet(BitsPerDimension(), Available(images=False, generator=None))
    assert found is not None
    assert "needs images; features were given; needs the generator itself" in found


def test_a_single_number_may_need_more():
    available = Available(manifold=PolygonFamily(), generator=None)
    assert "the generator itself" in str(unmet(Manifold(), available, "manifold_recall"))
    assert unmet(Manifold(), available, "manifold_precision") is None
    requested = requested_metrics(["manifold", "fd"])
    missing = unmet_requests(requested, available)
    assert list(missing) == ["manifold_recall", "manifold_f1", "manifold_undecided"]
    measurable = requested.without(missing)
    assert measurable.outputs["manifold"] == ("manifold_precision", "manifold_distance")
    assert list(requested.without({"manifold"}).parts) == ["fd"]
    assert list(requested_metrics(["fd", "recall"]).without({"recall"}).parts) == ["fd"]


def test_a_study_may_choose_by_fid():
    from coequal.study.check import problems
    from coequal.study.spec import Study

    def reasons(encoder: str) -> str:
        evaluation = {"encoder": encoder, "metrics": ["fid"]}
        text = {"study": "x", "evaluation": evaluation, "select": {"metric": "fid"}}
        return "\n".join(problem.message for problem in problems(Study.model_validate(text)))

    for encoder in ("inception", "inception:tf1", "toys:FidPixels"):
        assert reasons(encoder) == ""
    for encoder in ("inception:clean", "pixels"):
        assert "with the features given it is called fd" in reasons(encoder)
