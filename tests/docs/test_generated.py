"""The reference of the site is made of declarations: nothing that can be found is missing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

import coequal
from coequal import lookup
from coequal.cli.app import app
from coequal.cli.exit_codes import ExitCode
from coequal.cli.parts import KINDS
from coequal.settings import setting_names
from coequal.study.model import shipped_models
from coequal.study.spec import Study

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module", autouse=True)
def texts() -> Iterator[dict[str, str]]:
    """What every mark on a page of docs/reference and docs/results is replaced by."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import generated

        yield {name: make() for name, make in generated.TEXTS.items()}
    finally:
        sys.path.remove(str(DOCS / "_ext"))


def test_every_text_has_its_place_on_a_page(texts):
    import generated

    pages = sorted(DOCS.glob("*/*.md"))
    marks = [m["name"] for page in pages for m in generated.MARK.finditer(page.read_text("utf-8"))]
    assert sorted(marks) == sorted(texts)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "models"])
def test_every_part_is_there_with_every_setting(kind, texts):
    for name, part in lookup.with_variants(kind).items():
        assert f"## `{name}`\n" in texts[kind]
        section = texts[kind].partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        missing = [setting for setting in setting_names(part) if f"| `{setting}` |" not in section]
        assert not missing, name


def test_every_model_is_there_with_settings_and_ranges(texts):
    for model in shipped_models():
        section = texts["models"].partition(f"## `{model.name}`\n")[2].partition("\n## ")[0]
        for setting in {*model.settings, *model.wide, *model.narrow}:
            assert f"| `{setting}` |" in section, model.name
    # models/wgan_gp.yaml: authors' 1e-4, wide log_uniform [1e-5, 1e-2], narrow [1e-4, 1e-3]
    row = "| `learning_rate` | `0.0001` | 1e-05 to 0.01, in the logarithm | 0.0001 to 0.001, in the"
    assert row in texts["models"].partition("## `wgan_gp`\n")[2].partition("\n## ")[0]


def test_every_number_of_a_metric_is_there_with_what_it_declares(texts):
    for name in lookup.names("metrics"):
        metric = lookup.load("metrics", name)
        section = texts["metrics"].partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        for number, info in metric.outputs.items():
            (row,) = [line for line in section.splitlines() if line.startswith(f"| `{number}`")]
            assert (f"nearest {info.target:g}" if info.target is not None else info.better) in row
            assert ("(recommended)" in row) == info.recommended
    row = next(line for line in texts["metrics"].splitlines() if line.startswith("| `fd` "))
    # metrics/fd.py: MetricInfo("lower", "squared feature units", best=0.0, label="FD", ...)
    assert row.startswith("| `fd` (recommended) | FD | lower | squared feature units | best 0 |")
    assert "FID (`fid`): `fd` with `inception`" in texts["metrics"]


def test_papers_are_named_in_full(texts):
    section = texts["objectives"].partition("## `wgan_gp`\n")[2].partition("\n## ")[0]
    assert "*Improved Training of Wasserstein GANs*" in section
    assert "[arXiv:1704.00028](https://arxiv.org/abs/1704.00028)" in section


def _fields(model: type[BaseModel], seen: set[type]) -> Iterator[tuple[str, str | None]]:
    """Every field of a model and of the models in it, with its meaning."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field.description
        open_ = [field.annotation]
        for kind in open_:
            open_ += getattr(kind, "__args__", ())
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _fields(kind, seen)


def test_every_field_of_a_study_file_is_there_and_means_something(texts):
    seen: set[type] = set()
    fields = dict(_fields(Study, seen))
    # Study, Model, RangeSpec, ArchitectureSpec and the eight sections of study/sections.py
    assert len(seen) == 12
    assert not [name for name, meaning in fields.items() if not meaning]
    text = texts["study file"]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == len(fields)
    assert not [row for row in rows if row.endswith("|  |")]
    for name in fields:
        assert f"| `{name.partition('.')[2]}` |" in text
    # study/sections.py: retrain: float = Field(0.25, ge=0, le=1, ...)
    assert "| `retrain` | a number of at least 0 and at most 1 | `0.25` | Share of each" in text


def test_every_command_and_option_is_there(texts):
    text = texts["commands"]
    root = typer.main.get_command(app)
    assert len(root.commands) >= len(app.registered_commands) > 15
    for name, command in root.commands.items():
        section = text.partition(f"### `coequal {name}`\n")[2].partition("\n### ")[0]
        assert section, name
        for parameter in command.params:
            if not parameter.hidden:
                assert f"| `{parameter.opts[0]}" in section, (name, parameter.name)
    # cli/exit_codes.py
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    assert texts["exit codes"].splitlines()[2:] == rows


def test_every_public_name_of_python_is_there(texts):
    lines = texts["Python API"].splitlines()
    for name in coequal.__all__:
        assert any(line.endswith(f":: coequal.{name}") for line in lines), name


def test_the_gallery_shows_every_published_study(texts):
    for study in sorted(path.parent for path in DOCS.glob("results/*/study.json")):
        assert f'href="{study.name}/report/index.html"' in texts["gallery"]
    assert "BEGAN" in texts["gallery"]
    assert texts["gallery"].count('class="figure"') == texts["gallery"].count('class="card"')


def test_signs_of_a_docstring_mean_themselves():
    import plain_text

    text = """|m_r - m_f|^2 <= a * b[0, 1) of `x|y`; 0 is best
    - E l(x), arXiv:1704.00028.

    - one
      thing
    - another

    Attributes:
        a, b: numbers
            above 0.
    """
    assert plain_text.docstring(text) == (
        r"\|m\_r - m\_f\|^2 &lt;= a \* b\[0, 1) of `x|y`; 0 is best - E l(x), "
        "[arXiv:1704.00028](https://arxiv.org/abs/1704.00028).\n\n"
        "- one thing\n- another\n\n**Attributes**\n\n- `a, b`: numbers above 0."
    )
    assert "Attributes" not in plain_text.docstring(text, ["Attributes"])
