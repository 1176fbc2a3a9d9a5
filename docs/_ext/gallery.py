"""The published studies as cards: first picture, question, verdict, link to the report."""

import html
import json
import re
from pathlib import Path

import local_links
from sphinx.environment import BuildEnvironment

PICTURE = re.compile(r"!\[(?P<words>[^]]*)\]\((?P<path>[^)]+)\)")
RESULTS = Path(__file__).parents[1] / "results"


def text() -> str:
    """A card for every folder in docs/results that holds a report, as HTML."""
    cards = "\n".join(_card(path.parents[1]) for path in _verdicts())
    return f'<div class="gallery">\n{cards}\n</div>'


def _verdicts() -> list[Path]:
    return sorted(RESULTS.glob("*/report/verdict.json"))


def publish(env: BuildEnvironment, docname: str) -> None:
    """Have every report copied into the site, with its figures and tables.

    Args:
        env: of the build.
        docname: the page of the gallery.
    """
    for verdict in _verdicts():
        local_links.publish(env, docname, verdict.parent)


def _card(study: Path) -> str:
    values = json.loads((study / "study.json").read_text("utf-8"))["study"]
    verdict = json.loads((study / "report" / "verdict.json").read_text("utf-8"))
    sentences = [one[key] for one in verdict["data_sets"] for key in ("sentence", "as_tuned")]
    lines = [
        f'<a class="card" href="{study.name}/report/index.html">',
        f"<strong>{html.escape(values.get('question') or study.name)}</strong>",
        *_pictures(study),
        *(f"<span>{html.escape(sentence)}</span>" for sentence in filter(None, sentences)),
        f"<code>{html.escape(study.name)}</code>",
        "</a>",
    ]
    return "\n".join(lines)


def _pictures(study: Path) -> list[str]:
    """The first picture of the report, with its words, and the top of the first sheet of samples.

    Raises:
        ValueError: the report shows no picture.
    """
    report = study / "report"
    first = PICTURE.search((report / "report.md").read_text("utf-8"))
    if first is None:
        raise ValueError(f"{report}/report.md shows no picture")
    shown = [(first["path"], first["words"], "figure")]
    sheets = sorted((report / "figures").glob("*-samples.png"))[:1]
    shown += [(f"figures/{sheet.name}", "Samples of the models", "samples") for sheet in sheets]
    return [
        f'<img class="{kind}" src="{study.name}/report/{path}" alt="{html.escape(words)}">'
        for path, words, kind in shown
        if not (kind == "samples" and path == first["path"])
    ]
