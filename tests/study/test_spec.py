"""The study file: defaults, and one message for every slip."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from coequal import lookup
from coequal.ranges import Choice, LogUniform
from coequal.study.check import checked
from coequal.study.document import StudyError, parse, yaml_text
from coequal.study.plan import search_of
from coequal.study.spec import Study, from_document


def study(text: str):  # type: ignore[no-untyped-def]
    return from_document(parse(text, "x.yaml"), "x.yaml", "x")


def messages(tmp_path, text: str) -> list[str]:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        checked(path)
    return [problem.text("bad.yaml") for problem in caught.value.problems]


def test_an_empty_file_is_the_default_study():
    found = study("")
    assert found.study == "x"
    assert found.data == ("fashion_mnist",)
    assert len(found.models) >= 8
    assert (found.search.settings, found.search.looks) == (20, (20,))
    assert (found.search.budget, found.search.retrain) == (2, 0.25)
    assert found.evaluation.encoder == "classifier"


def test_all_slips_at_once_each_with_its_line(tmp_path):
    text = """\
study: bad
data: [fashion_mnits]
models: [ns_gan, wgan_pg]
search:
  settings: many
  setings: 4
  ranges: {learning_rate: {log_uniform: [1.0e-1, 1.0e-3]}}
training:
  budget: {discriminator_steps: 0}
  batch_size: 64
  batch_size: 32
evaluation: {encoder: clasifier}
"""
    found = messages(tmp_path, text)
    expected = [
        ("bad.yaml:2: data.0: ", "did you mean 'fashion_mnist'?"),
        ("bad.yaml:3: models.1: 'wgan_pg' is not one of ", "did you mean 'wgan_gp'?"),
        ("bad.yaml:5: search.settings: ", "got 'many'"),
        ("bad.yaml:6: search.setings: unknown key; ", "did you mean 'settings'?"),
        ("bad.yaml:7: search.ranges.learning_rate: ", "low 0.1 is above high 0.001"),
        ("bad.yaml:9: training.budget.discriminator_steps: ", "got 0"),
        ("bad.yaml:11: training.batch_size: ", "given twice, first on line 10"),
        ("bad.yaml:12: evaluation.encoder: ", "did you mean 'classifier'?"),
    ]
    assert len(found) == len(expected)
    for message, (start, inside) in zip(found, expected, strict=True):
        assert message.startswith(start)
        assert inside in message


def test_slips_that_need_the_parts(tmp_path):
    text = """\
search: {ranges: {learning_rat: {uniform: [0.1, 0.2]}}}
architecture: {widht: 2}
select: {metric: fid}
models:
  - {base: ns_gan, name: mine, settings: {learning_rate: fast, foo: 1}}
  - {name: x, objective: "nope.mod:X"}
  - {base: vae, name: y, settings: {beta1: 1.5}}
"""
    found = "\n".join(messages(tmp_path, text))
    for inside in (
        "bad.yaml:1: search.ranges.learning_rat: no model has such a setting",
        "bad.yaml:2: architecture.widht: setting 'widht'",
        "did you mean 'width'?",
        "bad.yaml:3: select.metric: not measured in this study: 'fid'",
        "bad.yaml:5: models.0: learning_rate must be a number above 0, got 'fast'",
        "bad.yaml:5: models.0: setting 'foo' is not one of",
        "bad.yaml:6: models.1: 'nope.mod:X': cannot import nope.mod",
        "bad.yaml:7: models.2: beta1 must be a number of at least 0 and below 1, got 1.5",
    ):
        assert inside in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [ns_gan\n", "bad.yaml:2: not readable as YAML"),
        ("search: {settings: -1}\n", "settings: must be a whole number of at least 0, got -1"),
        ("search: {budget: 0}\n", "search.budget: must be a whole number of at least 1, got 0"),
        ("search: {retrain: 1.5}\n", "retrain: must be a number of at least 0 and at most 1"),
        ("search: {spending: all}\n", "'obrien_fleming' or 'pocock', got 'all'"),
        ("search: {looks: [40, 20]}\n", "search.looks: must ascend, got [40, 20]"),
        ("search: {looks: [20, 20], settings: 20}\n", "search.looks: must ascend, got [20, 20]"),
        ("search: {looks: [10, many]}\n", "got 'many'"),
        ("search: {looks: many}\n", "must be a list of numbers of settings, as in [20, 40], or"),
        ("search: {settings: 4, looks: 5}\n", "from 1 to 4; got 5"),
        (
            "search: {settings: 30, looks: [20, 40]}\n",
            "30 is not among them; a run ends at a look: name it in looks, or set settings to one "
            "of [20, 40]",
        ),
        ("search: {settings: 0, looks: [20]}\n", "settings: 0 is not among them"),
        ("equivalence: {ratio: 1}\n", "equivalence.ratio: must be a number above 1, got 1"),
        ("equivalence: {difference: 0}\n", "must be a number above 0, got 0"),
        (
            "evaluation: {metrics: [fd, neighbours]}\nselect: {metric: f1}\n"
            "equivalence: {ratio: 1.2}\n",
            "equivalence.ratio: a ratio needs scores above 0 where lower is better, which f1 "
            "is not; give a difference",
        ),
        ("equivalence: {}\n", "give a ratio (as in {ratio: 1.1}, for scores above 0"),
        ("equivalence: {ratio: 1.1, difference: 0.1}\n", "a difference (as in {difference: 0.02})"),
        ("reruns: {seeds: 2, base_seeds: 4}\n", "no model here is compared `against` another"),
        ("- 1\n", "bad.yaml:1: a study file is a mapping"),
        ("models: [ns_gan, ns_gan]\n", "named twice: ns_gan"),
        (
            "models: [ns_gan, {base: ns_gan, name: y, against: ns_gam}]\n",
            "y: against: 'ns_gam' is not one of ns_gan, y",
        ),
        ("models: [{base: ns_gan, name: y, against: y}]\n", "can't be compared with itself"),
        ("models: [{base: nn, name: y}]\n", "'nn' is not one of"),
        ("models: []\n", "at least 1 item"),
        ("search: {ranges: {beta1: {uniform: [0, 1], choice: [1]}}}\n", "give one of"),
        ("search: {ranges: {learning_rate: {log_uniform: [0, 1]}}}\n", "must be above 0"),
        ("select: {split: test}\n", "must be 'validation', got 'test'"),
        ("training: {precision: float16}\n", "'float32' or 'tf32' or 'bfloat16'"),
        ("training: {ema: 1}\n", "must be a number above 0 and below 1, got 1"),
        ("architecture: {batch_norm: true}\n", "can't be fixed for all"),
        ("evaluation: {metrics: [fdd]}\n", "did you mean 'fd'?"),
        (
            "evaluation: {metrics: [fid]}\nselect: {metric: fid}\n",
            "fid can't measure fashion_mnist: needs the features of encoder inception",
        ),
        (
            "evaluation: {encoder: 'inception:clean', metrics: [fid]}\nselect: {metric: fid}\n",
            "with the features given it is called fd",
        ),
        ("evaluation: {metrics: [neighbours]}\nselect: {metric: one_nn}\n", "best at a target"),
        ("evaluation: {metrics: [neighbours]}\nselect: {metric: density}\n", "best at a target"),
        (
            "evaluation: {metrics: [ms_ssim]}\nselect: {metric: ms_ssim}\n",
            "ms_ssim can't tell good images from noise",
        ),
        ("image_size: 30\n", "image size 30 is not one of 28, 32, 64"),
        ("evaluation: {encoder: 'nope:E'}\n", "cannot import nope"),
        ("evaluation: {metrics: [fd, 'nope:M']}\n", "cannot import nope"),
        (
            "models: [ns_gan]\nevaluation: {metrics: [fd, fd_per_class]}\n",
            "no model here has fd_per_class: it needs labels on both sides (class sub-folders",
        ),
        (
            "models: [ns_gan, cgan]\nevaluation: {metrics: [fd_per_class]}\n"
            "select: {metric: fd_per_class}\n",
            "fd_per_class can't choose for ns_gan: it needs labels on both sides",
        ),
        (
            "models: [ns_gan, vae]\nevaluation: {metrics: [fd, bits_per_dimension]}\n",
            "no model here has bits_per_dimension: it needs a generator that gives the probability",
        ),
        (
            "models: [ns_gan, pixelcnn_pp]\nevaluation: {metrics: [fd, bits_per_dimension]}\n"
            "select: {metric: bits_per_dimension}\n",
            "can't choose for ns_gan: it needs a generator that gives the probability of an image",
        ),
        (
            "evaluation: {encoder: pixels, metrics: [fd, inception_score]}\n",
            "needs an encoder with class probabilities",
        ),
        ("architecture: {name: 'nope:N'}\nmodels: [vae]\n", "cannot import nope"),
        ("architecture: {width: .nan}\nmodels: [vae]\n", "width must be a number above 0, got nan"),
        ("search: {ranges: {beta1: {uniform: [0, .inf]}}}\n", "finite"),
        ("question: 2020-13-45\n", "not readable as YAML"),
        ("data: &a [*a]\n", "holds itself"),
        ("data: ['folder']\n", "folder"),
        ("study: a/b\n", "study"),
    ],
)
def test_a_slip(tmp_path, text, message):
    found = messages(tmp_path, text)
    assert len(found) == 1, found
    assert message in found[0]


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(StudyError, match="can't be read: No such file"):
        checked(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="not a text file"):
        checked(tmp_path / "bytes.yaml")


def test_yaml_is_read_as_people_mean_it():
    found = study("search: {ranges: {learning_rate: {log_uniform: [1e-4, 1e-2]}}}\nquestion: no\n")
    assert found.search.ranges["learning_rate"].range() == LogUniform(1e-4, 1e-2)
    assert found.question == "no"


def test_a_model_written_out_in_place():
    text = """
models:
  - name: mine
    objective: least_squares
    settings: {learning_rate: 1e-3, beta1: 0.5}
    wide: {batch_norm: {choice: [true, false]}}
  - {base: wgan_gp, name: light, settings: {penalty_weight: 1}, wide: {beta1: {choice: [0.0]}}}
"""
    mine, light = study(text).models
    assert mine.label == "mine"
    assert mine.wide["batch_norm"].range() == Choice((True, False))
    assert (light.objective, light.label) == ("wgan_gp", "light")
    assert light.settings["penalty_weight"] == 1
    assert light.settings["learning_rate"] == 1e-4
    assert light.wide["beta1"].range() == Choice((0.0,))
    assert light.wide["penalty_weight"].range() == LogUniform(0.1, 100)


@pytest.mark.parametrize("name", lookup.names("studies", ".yaml"))
def test_the_studies_that_ship_are_good_and_found_by_name(name):
    found, text = checked(name)
    assert found.study == name
    assert f"study: {name}\n" in text


def test_a_file_wins_over_the_built_in_study_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("demo").write_text("study: mine\ndata: [digits]\nmodels: [vae]\n")
    assert checked("demo")[0].study == "mine"
    Path("demo").unlink()
    Path("demo").mkdir()
    assert checked("demo")[0].study == "demo"  # a folder is no study file


def test_a_study_that_is_neither_a_file_nor_built_in():
    with pytest.raises(
        StudyError, match=r"no such file, and no built-in study .*did you mean 'smoke'"
    ):
        checked("smok")
    with pytest.raises(StudyError, match=r"smok\.yaml: can't be read"):
        checked("smok.yaml")


@pytest.mark.parametrize("objective", ["math:pi", "coequal.records:Spent", ".x:Y"])
def test_an_objective_that_is_none_is_one_slip(tmp_path, objective):
    text = f"models: [{{name: x, objective: '{objective}'}}]\n"
    (message,) = messages(tmp_path, text)
    assert objective in message


POLYGONS = """
study: polygons
data: [triangles]
models: [ns_gan]
evaluation:
  encoder: corners
  metrics: [manifold_f1, manifold_precision]
  settings: {manifold: {delta: 0.5}}
select: {metric: manifold_f1}
"""


def test_a_study_may_name_single_numbers_and_settings_of_metrics(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(POLYGONS)
    study, _ = checked(path)
    (trial, *_) = search_of(study)
    assert trial.evaluation["settings"] == {"manifold": {"delta": 0.5}}
    path.write_text(POLYGONS.replace("  settings: {manifold: {delta: 0.5}}\n", ""))
    (other, *_) = search_of(checked(path)[0])
    assert "settings" not in other.evaluation
    assert other.id != trial.id


def test_images_that_are_made_come_in_any_size(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(POLYGONS + "image_size: 36\n")
    assert checked(path)[0].image_size == 36


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "delta: 0.5",
            "delta: 0",
            "bad.yaml:8: evaluation.settings.manifold.delta: delta must be a number above 0, got 0",
        ),
        ("delta: 0.5", "delta: -1.0", "delta must be a number above 0, got -1.0"),
        ("delta: 0.5", "delta: wide", "delta must be a number above 0, got 'wide'"),
        ("delta: 0.5", "dleta: 0.5", "did you mean 'delta'?"),
        ("{manifold:", "{manifolds:", "did you mean 'manifold'?"),
        ("[triangles]", "[digits]", "manifold can't measure digits: needs polygons"),
        ("manifold_precision]", "manifold_precison]", "did you mean 'manifold_precision'?"),
        ("{metric: manifold_f1}", "{metric: fd}", "not measured in this study: 'fd'"),
        ("data: [triangles]", "data: [digits]\nimage_size: 30", "image size 30 is not one of"),
        ("data: [triangles]", "data: [triangles]\nimage_size: 4", "at least 8x8 pixels, got 4"),
    ],
)
def test_slips_about_a_known_manifold(tmp_path, old, new, said):
    text = POLYGONS.replace(old, new)
    assert text != POLYGONS
    assert said in "\n".join(messages(tmp_path, text))


def test_data_may_be_fractions_with_budgets_of_their_own(tmp_path):
    text = "data: [digits, digits@5%]\ntraining: {budgets: {digits@5%: {discriminator_steps: 9}}}\n"
    found = study(text)
    assert found.data == ("digits", "digits@5%")
    assert list(found.training.budgets) == ["digits@5%"]
    bad = messages(tmp_path, "data: [digits, digits@500%]\n")
    assert "bad.yaml:1: data.1: datasets: 'digits@500%': a fraction of the training" in bad[0]
    path = tmp_path / "study.yaml"
    path.write_text(POLYGONS.replace("[triangles]", "[triangles@5%]") + "image_size: 36\n")
    assert checked(path)[0].data == ("triangles@5%",)


def test_an_unknown_verdict_to_stop_on_is_refused_with_those_there_are(tmp_path):
    (found,) = messages(tmp_path, "training: {stop_on: [diverged, colapsed]}\n")
    assert found.startswith("bad.yaml:1: training.stop_on.1: 'colapsed' is not one of diverged, ")
    assert found.endswith("did you mean 'collapsed'?")
    (found,) = messages(tmp_path, "training: {stop_on: [healthy]}\n")
    assert "'healthy' is not one of diverged, collapsed" in found


def test_the_number_of_settings_is_the_last_look_unless_it_is_given():
    looks = {"looks: [20, 40, 100]": (100, (20, 40, 100))}
    looks["looks: [20, 40, 100], settings: 40"] = (40, (20, 40, 100))
    # Ends of equal parts, rounded up: 50/3 = 16.7, 100/3 = 33.3.
    looks["settings: 50, looks: 3"] = (50, (17, 34, 50))
    looks["settings: 50, looks: 1"] = looks["settings: 50"] = (50, (50,))
    looks["settings: 0"] = (0, ())
    for text, wanted in looks.items():
        found = study(f"search: {{{text}}}").search
        assert (found.settings, found.looks) == wanted
        filled_in = study(yaml_text(study(f"search: {{{text}}}").as_dict())).search
        assert filled_in == found


def test_settings_are_trained_again_where_a_choice_has_been_made():
    # 19 settings judge a budget of one, 20 one of two; one of 1 is chosen from none.
    shares = {"settings: 19": 0, "settings: 20": 0.25, "settings: 20, retrain: 0.5": 0.5}
    shares |= {
        "settings: 20, budget: 1": 0,
        "settings: 0": 0,
        "looks: [10, 20], settings: 10": 0.25,
    }
    for text, wanted in shares.items():
        assert study(f"search: {{{text}}}").retrained_share == wanted


def test_a_base_has_more_fresh_seeds_than_what_is_compared_with_it():
    names = ["one", "two", "three"]
    arms = ", ".join(f"{{base: ns_gan, name: {name}, against: ns_gan}}" for name in names)
    text = f"models: [ns_gan, {arms}]\nreruns: {{seeds: 10}}\n"
    # ceil(10 sqrt(3)) = ceil(17.3)
    assert study(text).rerun_seeds("ns_gan") == 18
    assert study(text).rerun_seeds("two") == 10
    own = study(text.replace("seeds: 10", "seeds: 10, base_seeds: 12"))
    assert (own.rerun_seeds("ns_gan"), own.rerun_seeds("two")) == (12, 10)


def test_settings_of_later_looks_are_checked_before_the_first_is_trained(tmp_path):
    # discriminator_per_generator is drawn as 1 by setting 1, and as 0 by one of the next 39.
    text = """\
models: [{base: ns_gan, name: mine, wide: {discriminator_per_generator: {choice: [0, 1]}}}]
search: {settings: 1}
"""
    (tmp_path / "one.yaml").write_text(text)
    checked(tmp_path / "one.yaml")
    found = messages(tmp_path, text.replace("settings: 1", "settings: 1, looks: [1, 40]"))
    assert any("discriminator_per_generator must be" in message for message in found)


def test_null_takes_a_setting_of_the_base_away_with_its_ranges():
    entry = {"base": "ns_gan", "settings": {"batch_norm": None}, "wide": {"beta1": None}}
    (model,) = Study.model_validate({"study": "s", "models": [entry]}).models
    assert model.settings.keys() == {"learning_rate", "beta1", "discriminator_per_generator"}
    assert model.wide.keys() == {"learning_rate", "discriminator_per_generator"}
    assert "batch_norm" not in model.narrow
    assert "beta1" in model.narrow


def test_null_for_a_setting_that_the_base_does_not_have_is_refused():
    entry = {"base": "ns_gan", "settings": {"margin": None}}
    with pytest.raises(ValidationError, match="margin: null removes a setting of the `base`"):
        Study.model_validate({"study": "s", "models": [entry]})


def test_a_name_alone_stands_for_a_list_of_it(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(
        "data: digits\nmodels: ns_gan\nevaluation: {encoder: pixels, metrics: kid}\n"
        "select: {metric: kid}\ntraining: {stop_on: collapsed}\n"
    )
    study, _ = checked(path)
    assert (study.data, [m.name for m in study.models]) == (("digits",), ["ns_gan"])
    assert (study.evaluation.metrics, study.training.stop_on) == (("kid",), ("collapsed",))


def test_a_metric_has_its_own_name_in_a_study_however_the_file_writes_it(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("evaluation: {metrics: [FD, 1-NN, precision, MMD]}\n")
    metrics = checked(path)[0].evaluation.metrics
    assert metrics == ("fd", "one_nn", "precision", "mmd_rbf")
    path.write_text("evaluation: {metrics: prdc}\n")
    with pytest.raises(StudyError, match="stands for precision, recall, density, coverage; list"):
        checked(path)


def test_a_number_where_a_mapping_belongs_is_told_what_the_mapping_holds(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("training: {budget: 1000}\ndata: 5\n")
    with pytest.raises(StudyError) as found:
        checked(path)
    said = str(found.value)
    assert "must be a mapping of discriminator_steps, images, flops, seconds, got 1000" in said
    assert "data: must be a list, got 5" in said
