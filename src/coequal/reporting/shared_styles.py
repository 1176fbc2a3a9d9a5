"""Figures of a page in fewer bytes: what many of their elements say of themselves is said once."""

import re
from collections import Counter
from itertools import count

import numpy as np

FEWEST_USES = 3  # of a style that gets a class

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_IMAGE = re.compile(r"<image\b[^>]*/>")
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)([^")]*-d\d+)(?=["\)])')
_GROUP = re.compile(r"<(/?)g\b([^>]*)>\n?")
_STYLE = re.compile(r"(<\w+\b(?:(?!\sclass=)[^>])*?)\sstyle=\"([^\"]*)\"((?:(?!\sclass=)[^>])*>)")


def with_shared_styles(html: str) -> str:
    """Give each style that several elements of inline SVG have a class, the parts of figures short
    names, and each picture one place; drop groups that say nothing.

    Args:
        html: a page with one `</style>` at the least, whose first element of style gets the rules,
            and a `<main>`, which gets the pictures that several figures show.

    Returns:
        The page, which looks the same.
    """
    html = _SVG.sub(lambda svg: _unwrapped(svg[0]), html)
    html = _pictures_once(_short_names(html))
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


def _short_names(html: str) -> str:
    """A page whose figures call their own parts by names of two or three letters."""
    names: dict[str, str] = {}

    def short(match: re.Match[str]) -> str:
        if match[2] not in names:
            names[match[2]] = f"f{np.base_repr(len(names), 36).lower()}"
        return match[1] + names[match[2]]

    return _SVG.sub(lambda svg: _REFERENCE.sub(short, svg[0]).replace("xlink:href", "href"), html)


def _pictures_once(html: str) -> str:
    """A page that holds a picture of several figures once: wide and narrow figures show the same.

    It lies in an element of its own before the first figure, as some of them are not displayed.
    """
    found = [_picture(tag) for svg in _SVG.findall(html) for tag in _IMAGE.findall(svg)]
    uses = Counter(picture for picture, _ in found)
    places = {each: f"i{n}" for n, each in enumerate(k for k, n in uses.items() if n > 1)}
    if not places:
        return html

    def once(match: re.Match[str]) -> str:
        picture, transform = _picture(match[0])
        return f'<use href="#{places[picture]}"{transform}/>' if picture in places else match[0]

    html = _SVG.sub(lambda svg: _IMAGE.sub(once, svg[0]), html)
    pictures = "".join(f'<image id="{place}"{about}/>' for about, place in places.items())
    kept = f'<svg class="pictures" aria-hidden="true" width="0" height="0">{pictures}</svg>'
    return re.sub(r"<main\b[^>]*>", lambda main: f"{main[0]}\n{kept}", html, count=1)


def _picture(tag: str) -> tuple[str, str]:
    """What an image element shows, with the size of its pixels, and where it is put."""
    transform = re.search(r'\stransform="[^"]*"', tag)
    where = transform[0] if transform else ""
    about = re.sub(r'\sid="[^"]*"', "", tag.replace(where, ""))
    return about.removeprefix("<image").removesuffix("/>"), where


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
