"""A script whose workers would run it again is refused before anything begins."""

import subprocess
import sys
from pathlib import Path

import pytest

CALL = "from coequal.execution.choose import ExecutionOptions, refuse_clashes\n"
START = "refuse_clashes(ExecutionOptions(workers={workers}))"


def run(tmp_path: Path, text: str) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "plain.py").write_text(CALL + text)
    return subprocess.run(
        [sys.executable, "plain.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )


def test_a_plain_script_gets_one_message_with_its_line(tmp_path):
    done = run(tmp_path, START.format(workers=2))
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("RuntimeError: ")
    assert "plain.py:2: every worker process would run this script again" in last
    assert 'put the call under `if __name__ == "__main__":`' in last


@pytest.mark.parametrize(
    "text",
    [
        f"if __name__ == '__main__':\n    {START.format(workers=2)}",
        f"def main():\n    {START.format(workers=2)}\nif __name__ == '__main__':\n    main()",
        START.format(workers=0),
    ],
)
def test_a_guarded_call_and_one_without_processes_go_on(tmp_path, text):
    done = run(tmp_path, text)
    assert (done.returncode, done.stderr) == (0, "")
