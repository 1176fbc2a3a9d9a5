"""Figures of a page in fewer bytes: what many of their elements say of themselves is said once."""

import re
from collections import Counter
from itertools import count

FEWEST_USES = 3  # of a style that gets a class

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_GROUP = re.compile(r"<(/?)g\b([^>]*)>\n?")
_STYLE = re.compile(r"(<\w+\b(?:(?!\sclass=)[^>])*?)\sstyle=\"([^\"]*)\"((?:(?!\sclass=)[^>])*>)")


def with_shared_styles(html: str) -> str:
    """Give each style that several elements of inline SVG have a class, and drop groups that say
    nothing.

    Args:
        html: a page with one `</style>` at the least, whose first element of style gets the rules.

    Returns:
        The page, which looks the same.
    """
    html = _SVG.sub(lambda svg: _unwrapped(svg[0]), html)
    uses = Counter(style for svg in _SVG.findall(html) for _, style, _ in _STYLE.findall(svg))
    numbers = count(1)
    names = {style: f"s{next(numbers)}" for style, n in uses.items() if n >= FEWEST_USES}

    def shared(match: re.Match[str]) -> str:
        start, style, end = match.groups()
        if style not in names:
            return match[0]
        return f'{start} class="{names[style]}"{end}'

    html = _SVG.sub(lambda svg: _STYLE.sub(shared, svg[0]), html)
    rules = "".join(f".{name}{{{style}}}\n" for style, name in names.items())
    return html.replace("</style>", f"{rules}</style>", 1)


def _unwrapped(svg: str) -> str:
    """An SVG element without its groups that have no attribute."""
    bare: list[bool] = []

    def kept(match: re.Match[str]) -> str:
        closes, attributes = match.groups()
        if closes:
            return "" if bare.pop() else match[0]
        if attributes.endswith("/"):
            return "" if attributes.strip() == "/" else match[0]
        bare.append(not attributes.strip())
        return "" if bare[-1] else match[0]

    return _GROUP.sub(kept, svg)
