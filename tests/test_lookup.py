"""Parts by their file names, variants, and things from outside."""

import pytest

from coequal import lookup


def test_a_part_its_variants_and_an_object_from_outside():
    assert lookup.load("objectives", "wgan_gp").__name__ == "WassersteinGradientPenalty"
    plain, clean = (lookup.load("encoders", name) for name in ("inception", "inception:clean"))
    assert (plain.resize, clean.resize) == ("tf1", "clean")
    assert lookup.load("objectives", "toys:AcGan").__name__ == "AcGan"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wgan_pg", "did you mean 'wgan_gp'"),
        ("wgan_gp:x", "'wgan_gp:x' is not one of wgan_gp"),
        ("toys:Nothing", "module toys has no Nothing"),
        ("no_such:Thing", "cannot import no_such"),
    ],
)
def test_what_does_not_exist_is_named(name, message):
    with pytest.raises(LookupError, match=message):
        lookup.load("objectives", name)


def test_names_are_sorted_and_private_files_are_none():
    found = lookup.names("metrics")
    assert found == sorted(found)
    assert not any(name.startswith("_") for name in found)


def test_the_call_report_stays_a_call_after_it_was_used(monkeypatch):
    import coequal

    monkeypatch.setattr("coequal.api.report", lambda out: f"report of {out}")
    for name in list(vars(coequal)):
        if name in coequal.__all__:
            monkeypatch.delitem(vars(coequal), name)
    assert coequal.report("a") == "report of a"
    import coequal.report.page  # the room of the same name

    assert coequal.report("b") == "report of b"
