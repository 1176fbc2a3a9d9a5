"""The templates of all pages, with one way of filling them in."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from coequal.formatting import significant
from coequal.reporting.glossary import glossed


def template(name: str, package: str = "coequal.reporting") -> Template:
    """A template: what is filled in is escaped, except in plain text (.txt.jinja), and what is
    missing is an error. Floats that no format has made text of are rounded as in the CSV files;
    the filter `glossed` links words to the glossary.

    Args:
        name: of its file in `templates/`.
        package: whose `templates/` it is looked for in before those of the report.
    """
    folders = [PackageLoader(each) for each in dict.fromkeys((package, "coequal.reporting"))]
    plain = name.endswith(".txt.jinja")
    environment = Environment(
        loader=ChoiceLoader(folders),
        autoescape=not plain,
        undefined=StrictUndefined,
        trim_blocks=not plain,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_rounded,
    )
    environment.filters["glossed"] = glossed
    return environment.get_template(name)


def _rounded(value: Any) -> Any:
    return significant(value) if isinstance(value, float) else value
