"""Parts by their file names, variants, and things from outside."""

import sys

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


@pytest.fixture
def folders(monkeypatch):
    """What `search_also` adds is taken back, and modules of the test are forgotten."""
    monkeypatch.setattr(lookup, "_searched", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_part_is_found_in_the_current_folder_and_in_that_of_the_study(
    tmp_path, monkeypatch, folders
):
    for folder, name in (("here", "of_here"), ("study", "of_study")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.py").write_text("Thing = 1\n")
    monkeypatch.chdir(tmp_path / "here")
    lookup.search_also(tmp_path / "study")
    assert lookup.load("objectives", "of_here:Thing") == 1
    assert lookup.load("objectives", "of_study:Thing") == 1


def test_a_module_of_the_same_name_from_elsewhere_is_refused(tmp_path, folders):
    for folder, value in (("one", 1), ("other", 2), ("copy", 1)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my_twin.py").write_text(f"Thing = {value}\n")
    lookup.search_also(tmp_path / "one")
    lookup.load("objectives", "my_twin:Thing")
    lookup.search_also(tmp_path / "other")
    with pytest.raises(LookupError, match=r"one.my_twin\.py, and .*other.my_twin\.py is another"):
        lookup.load("objectives", "my_twin:Thing")
    lookup.search_also(tmp_path / "copy")  # of the same text, as a run keeps it
    assert lookup.load("objectives", "my_twin:Thing") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", r"SyntaxError: .* \(my_broken\.py:1\)"),
        ("x = 1\ny = nope\n", r"NameError: name 'nope' is not defined \(my_broken\.py:2\)"),
        ("import no_such_thing\n", r"ModuleNotFoundError: .*no_such_thing.* \(my_broken\.py:1\)"),
        ("Tings = 1\n", r"module my_broken has no Things; did you mean 'Tings'\?"),
    ],
)
def test_a_module_that_fails_says_where(tmp_path, folders, text, message):
    (tmp_path / "my_broken.py").write_text(text)
    lookup.search_also(tmp_path)
    with pytest.raises(LookupError, match=message):
        lookup.load("objectives", "my_broken:Things")


def test_a_class_without_what_its_kind_must_have_is_named_with_its_line(tmp_path, folders):
    (tmp_path / "my_part.py").write_text(
        "from coequal.contract import Likelihood\n\nclass Mine(Likelihood):\n    pass\n"
    )
    lookup.search_also(tmp_path)
    from coequal.contract import Objective

    with pytest.raises(
        LookupError, match=r"lacks generator_loss, requirements, .* \(my_part\.py:3\)"
    ):
        lookup.load_class("objectives", "my_part:Mine", Objective)
