"""What the test of the documentation refuses: each kind of block, wrong once."""

import re

import code_blocks
import pytest
from code_blocks import Block
from documented_commands import coequal_commands, problem_of
from page_runner import PageRunner


def block(language: str, text: str, **notes: str) -> Block:
    return Block("page.md", 1, language, text, {key.replace("_", " "): notes[key] for key in notes})


WRONG = {
    "python that fails": (block("python", "1 / 0"), "ZeroDivisionError"),
    "python that is none": (block("python", "if:", not_run="slow"), "SyntaxError"),
    "no reason": (block("python", "1", not_run=""), "why is it not run"),
    "an unknown command": (block("sh", "coequal trian x", not_run="slow"), "no command trian"),
    "an unknown option": (block("sh", "coequal run x --ot y", not_run="slow"), "--ot"),
    "one argument too many": (block("sh", "coequal run x y", not_run="slow"), "argument y"),
    "no number": (block("sh", "coequal run x --workers two", not_run="slow"), "workers is no"),
    "a command that fails": (block("sh", "coequal check missing.yaml"), "exit code 2"),
    "a command that doesn't fail": (block("sh", "coequal list metrics", exit="2"), "exit code 0"),
    "another program": (block("sh", "docker run x"), "docker is not run here"),
    "a study with a wrong key": (block("yaml", "modles: [ns_gan]"), "modles"),
    "a study with a wrong model": (block("yaml", "models: [no_gan]"), "no_gan"),
    "no YAML": (block("yaml", "a: [", not_run="Kubernetes"), "ParserError"),
    "no JSON": (block("json", "{1}"), "JSONDecodeError"),
    "another source": (block("python", "x = 1", **{"from": "examples/my_loss.py"}), "not in"),
    "an output": (block("text", "nothing of this kind", output=""), "not printed"),
    "another language": (block("ruby", "1"), "KeyError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_block_is_found(name, tmp_path):
    wrong, message = WRONG[name]
    with pytest.raises(AssertionError, match=re.escape(message)):
        PageRunner(tmp_path).run_all([wrong])


def test_blocks_follow_one_another(tmp_path):
    study = "data: [digits]\nmodels: [ns_gan, vae]\n"
    blocks = [
        block("python", "from dataclasses import dataclass\n\n@dataclass\nclass A:\n    b: int"),
        block("python", "assert A(1) == A(1)"),
        block("yaml", study, file="mine.yaml"),
        block("sh", "coequal check mine.yaml --no-try  # comment"),
        block("text", "mine.yaml is good: 777 trials\n...\nmodels:", output=""),
        block("python", "print('here')", file="scripts/here.py"),
        block("sh", "python scripts/here.py"),
        block("text", "here", output=""),
    ]
    PageRunner(tmp_path).run_all(blocks)
    wrong = block("text", "is good\nmine.yaml is good", output="")  # not in this order
    with pytest.raises(AssertionError, match="not printed"):
        PageRunner(tmp_path).run_all([*blocks[2:4], wrong])


def test_notes_stand_directly_above_a_block(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setattr(code_blocks, "ROOT", tmp_path)
    page.write_text(
        "<!-- not run: far above -->\n\n```sh\nls\n```\n\n- item\n\n"
        "  <!-- file: a.py -->\n  <!-- not run: why: so -->\n  ```python\n  if a:\n      b\n  ```\n"
    )
    first, second = code_blocks.code_blocks("page.md")
    assert (first.language, first.text, first.line, first.notes) == ("sh", "ls\n", 4, {})
    assert second.text == "if a:\n    b\n"
    assert second.notes == {"file": "a.py", "not run": "why: so"}
    assert second.kind == "python (not run) (file)"
    page.write_text("```sh\nls\n")
    with pytest.raises(ValueError, match="does not end"):
        code_blocks.code_blocks("page.md")
    page.write_text("<!-- skipped: why -->\n```sh\nls\n```\n")
    with pytest.raises(ValueError, match="no test knows"):
        code_blocks.code_blocks("page.md")


def test_commands_are_found_in_scripts():
    script = "A=1 coequal run x \\\n  --out y & # no\nfor i in 1; do\n  coequal list models\ndone\n"
    assert coequal_commands(script) == [["run", "x", "--out", "y"], ["list", "models"]]
    assert coequal_commands("uv run coequal list models > out.txt") == [["list", "models"]]
    assert problem_of(["run", "STUDY", "--workers", "N"], values=False) is None
