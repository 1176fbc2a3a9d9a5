"""The fenced code blocks of the documentation, and what the page's source says of them.

A comment directly above a block, which no reader of the page sees, says how it is tested:

    <!-- not run: needs a GPU -->        its commands are parsed, its code compiled; nothing is run
    <!-- file: my_lab/losses.py -->      written to this file of the page's folder
    <!-- from: examples/my_loss.py -->   these lines stand in this file of the repository
    <!-- exit: 2 -->                     the exit code of its last command
    <!-- output -->                      text: lines that the last commands printed

`python tests/docs/code_blocks.py` lists how many of each kind there are.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("python", "sh", "yaml", "json", "text")
NOTES = ("not run", "file", "from", "exit", "output")
COMMENT = re.compile(r"\s*<!-- ([a-z ]+?)(?:: (.*?))? -->\s*")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: its path within the repository.
        line: number of its first line of code.
        language: the word after the fence.
        text: the code, without the indentation of the fence.
        notes: what the comments directly above it say, by their first words.
    """

    page: str
    line: int
    language: str
    text: str
    notes: dict[str, str]

    @property
    def kind(self) -> str:
        """How it is tested, for the list."""
        how = [note for note in ("not run", "file", "output") if note in self.notes]
        return " ".join([self.language, *(f"({note})" for note in how)])

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """The pages that people write: README and docs without reports, which coequal writes."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    paths = [path.relative_to(ROOT).as_posix() for path in found]
    return sorted(path for path in paths if not re.match(r"docs/(results/.*/|_)", path))


def code_blocks(page: str) -> list[Block]:
    """Find the blocks of a page, in order.

    Args:
        page: its path within the repository.

    Raises:
        ValueError: a block does not end, or a comment above it says what no test knows.
    """
    blocks, notes = [], {}
    lines = iter(enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if fence := re.match(r"( *)(`{3,}|~{3,})(.*)", line):
            indent, ticks, language = fence.groups()
            code = []
            for _, inner in lines:
                if inner.strip() == ticks:
                    break
                code.append(inner.removeprefix(indent))
            else:
                raise ValueError(f"{page}:{number}: this block does not end")
            if unknown := notes.keys() - set(NOTES):
                raise ValueError(f"{page}:{number}: no test knows the comment {sorted(unknown)}")
            text = "".join(f"{one}\n" for one in code)
            blocks.append(Block(page, number + 1, language.strip(), text, notes))
        comment = COMMENT.fullmatch(line)
        notes = {**notes, comment[1]: comment[2] or ""} if comment else {}
    return blocks


def is_directive(block: Block) -> bool:
    """Whether it is no code but MyST's way to write a note or an included file."""
    return block.language.startswith("{")


def counts() -> dict[str, Counter[str]]:
    """How many blocks of each kind each page has; pages without any are left out."""
    found = {page: Counter(block.kind for block in code_blocks(page)) for page in pages()}
    return {page: kinds for page, kinds in found.items() if kinds}


if __name__ == "__main__":
    for page, kinds in counts().items():
        print(f"{page}: {', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}")
    total = sum(counts().values(), Counter())
    print(f"in all: {', '.join(f'{number} {kind}' for kind, number in sorted(total.items()))}")
