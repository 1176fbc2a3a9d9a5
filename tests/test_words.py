"""Code, docstrings and documentation use the field's words: distribution, problem, callback, ..."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
INSTEAD = {
    r"(?<!power-)laws?": "distribution",
    r"slips?": "problem",
    r"onlookers?": "callback",
    r"doubts": "warnings",
    r"unread": "not read",
    r"the same of": "a sentence that makes sense alone",
}
SOURCES = ("src/coequal/**/*.py", "src/coequal/**/*.yaml", "benchmarks/**/*.py", "examples/*.py")
PAGES = ("docs/*.md", "docs/[ehrt]*/*.md", "README.md", "CONTRIBUTING.md")


def test_private_words_do_not_come_back():
    words = re.compile(rf"(?<![a-z])({'|'.join(INSTEAD)})(?![a-z])", re.IGNORECASE)
    files = [path for pattern in (*SOURCES, *PAGES) for path in sorted(ROOT.glob(pattern))]
    assert len(files) > 300
    uses = [
        f"{path.relative_to(ROOT)}:{number}: '{match[0]}'"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in words.finditer(line)
    ]
    assert not uses, "\n".join([*uses, f"write instead: {INSTEAD}"])
