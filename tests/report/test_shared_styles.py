"""A page whose figures share their styles is the same page in fewer bytes."""

from coequal.report.shared_styles import with_shared_styles

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
