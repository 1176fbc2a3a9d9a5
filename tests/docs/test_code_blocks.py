"""Every code block of the documentation is run, or checked as far as it can be here."""

from itertools import pairwise

import pytest
from code_blocks import LANGUAGES, ROOT, code_blocks, counts, is_directive, pages
from documented_commands import inline_commands, problem_of
from page_runner import PageRunner

WITH_BLOCKS = list(counts())


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_the_blocks_of_a_page(page, place):
    blocks = [block for block in code_blocks(page) if not is_directive(block)]
    PageRunner(place).run_all(blocks)


@pytest.mark.parametrize("page", pages())
def test_commands_within_sentences_exist(page):
    text = (ROOT / page).read_text()
    problems = {" ".join(words): problem_of(words, values=False) for words in inline_commands(text)}
    assert not {command: problem for command, problem in problems.items() if problem}


def test_every_block_has_a_known_language():
    unknown = [
        f"{block}: '{block.language}' is none of {', '.join(LANGUAGES)}"
        for page in WITH_BLOCKS
        for block in code_blocks(page)
        if block.language not in LANGUAGES and not is_directive(block)
    ]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("page", pages())
def test_code_is_fenced(page):
    """Indented code has no language; a continued list item is indented by less than four."""
    lines = (ROOT / page).read_text().splitlines()
    paragraphs = [
        f"{page}:{number}"
        for number, (before, line) in enumerate(pairwise(lines), 2)
        if line.startswith("    ") and not before.strip()
    ]
    fenced = {
        f"{page}:{number}"
        for block in code_blocks(page)
        for number in range(block.line, block.line + block.text.count("\n") + 1)
    }
    assert not set(paragraphs) - fenced
