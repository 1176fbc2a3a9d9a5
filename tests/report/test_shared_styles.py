"""A page whose figures share their styles is the same page in fewer bytes."""

from coequal.reporting.shared_styles import with_shared_styles

RED, BLUE = "fill: red", "fill: blue"


def page(svg: str) -> str:
    return f'<style>p {{}}</style><p style="{RED}">a > b</p><svg>{svg}</svg>'


def test_a_style_of_three_elements_gets_a_class_and_rarer_ones_stay():
    drawn = f'<path d="M 0 0" style="{RED}"/>' * 3 + f'<path style="{BLUE}"/>' * 2
    short = with_shared_styles(page(drawn))
    assert short == (
        f'<style>p {{}}.s1{{{RED}}}\n</style><p style="{RED}">a > b</p><svg>'
        + '<path d="M 0 0" class="s1"/>' * 3
        + f'<path style="{BLUE}"/>' * 2
        + "</svg>"
    )


def test_an_element_with_a_class_of_its_own_keeps_its_style():
    drawn = f'<path style="{RED}"/>' * 3 + f'<g class="x" style="{RED}"/>'
    assert f'<g class="x" style="{RED}"/>' in with_shared_styles(page(drawn))
    assert f'<g style="{RED}" class="x"/>' in with_shared_styles(
        page(drawn.replace(f'class="x" style="{RED}"', f'style="{RED}" class="x"'))
    )


def test_groups_that_say_nothing_are_dropped_and_the_others_close_where_they_did():
    drawn = '<g>\n<g data-t="1">\n<g>\n<use/>\n</g>\n</g>\n<g/>\n</g>\n<g clip-path="c"><g/></g>'
    assert with_shared_styles(page(drawn)) == page(
        '<g data-t="1">\n<use/>\n</g>\n<g clip-path="c"></g>'
    )


PICTURE = 'xlink:href="data:image/png;base64,AA==" width="8" height="4"'


def test_a_picture_of_two_figures_lies_in_the_page_once_and_each_figure_puts_it_in_its_place():
    wide = f'<image {PICTURE} id="a" transform="matrix(2 0 0 2 1 1)"/>'
    narrow = f'<image {PICTURE} id="b" transform="matrix(1 0 0 1 5 5)"/>'
    alone = '<image xlink:href="data:image/png;base64,BB==" width="8" height="4"/>'
    html = with_shared_styles(f"<style></style><main>{page(wide + alone)}{page(narrow)}</main>")
    short = PICTURE.replace("xlink:", "")
    assert html.startswith(
        '<style></style><main>\n<svg class="pictures" aria-hidden="true" width="0" height="0">'
        f'<image id="i0" {short}/></svg>'
    )
    assert '<svg><use href="#i0" transform="matrix(2 0 0 2 1 1)"/><image href=' in html
    assert '<svg><use href="#i0" transform="matrix(1 0 0 1 5 5)"/></svg>' in html
    assert html.count("AA==") == 1


def test_parts_of_figures_get_short_names():
    drawn = '<path id="fd-reruns-d1"/><use xlink:href="#fd-reruns-d1" clip-path="url(#fd-x-d2)"/>'
    assert with_shared_styles(page(drawn)) == page(
        '<path id="f0"/><use href="#f0" clip-path="url(#f1)"/>'
    )
