"""The templates of all pages, with one way of filling them in."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str) -> Template:
    """A template of `templates/`: what is filled in is escaped, except in plain text (.txt.jinja),
    and what is missing is an error."""
    plain = name.endswith(".txt.jinja")
    environment = Environment(
        loader=PackageLoader("coequal", "report/templates"),
        autoescape=not plain,
        undefined=StrictUndefined,
        trim_blocks=not plain,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
