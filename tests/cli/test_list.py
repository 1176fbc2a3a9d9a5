"""`coequal list`: what the parts declare, whole."""

import json

from coequal import lookup
from coequal.cli.parts import first_sentence, parts

from typed import coequal


def test_a_summary_is_the_first_sentence_however_its_lines_are_broken():
    text = "A net, whose last\nhidden layer is the feature: Xu et al. 2018, eq. 3.\nMore.\n\nThen."
    assert (
        first_sentence(text)
        == "A net, whose last hidden layer is the feature: Xu et al. 2018, eq. 3."
    )


def test_every_number_of_every_metric_is_listed_with_its_direction():
    rows = {row["name"]: row for row in json.loads(coequal("list", "metrics", "--json").stdout)}
    for name in lookup.names("metrics"):
        declared = lookup.load("metrics", name).outputs
        listed = rows[name]["outputs"]
        assert {key: info.better for key, info in declared.items()} == {
            key: info["better"] for key, info in listed.items()
        }
    shown = coequal("list", "metrics", columns=80).stdout
    assert "precision   higher is better; fraction of generated images" in " ".join(
        shown.split("  ")
    )
    assert "fraction of generated images. How many generated images look real" in " ".join(
        shown.split()
    )
    assert max(map(len, shown.splitlines())) <= 80


def test_settings_are_listed_as_the_parts_declare_them():
    rows = {row["name"]: row for row in parts("metrics")}
    assert rows["kid"]["settings"]["subset_size"] == {
        "default": 1000,
        "allowed": "a whole number of at least 2",
        "meaning": "images of each, or the smaller number of images if there are fewer.",
    }
    assert "settings" not in rows["mmd_rbf"]  # it has none
    assert "a whole number of at least 1: how many subsets" in coequal("list", "metrics").stdout
    assert any("settings" in row for row in parts("objectives"))
