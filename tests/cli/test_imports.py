"""What a command imports before it works: the seconds that everybody waits."""

import subprocess
import sys

import numpy as np
import pytest

SCORE = "score --real {0}/a.npy --fake {0}/b.npy --metrics fd"


@pytest.mark.parametrize(
    ("command", "never"),
    [
        ("--help", "torch matplotlib scipy coequal.training.loop coequal.reporting.page"),
        (
            SCORE,
            "matplotlib scipy.stats scipy.optimize coequal.training.loop coequal.encoders.clip",
        ),
    ],
)
def test_a_command_imports_no_more_than_it_needs(command, never, tmp_path):
    for seed, name in enumerate("ab"):
        values = np.random.default_rng(seed).standard_normal((50, 4)).astype(np.float32)
        np.save(tmp_path / f"{name}.npy", values)
    program = (
        "import sys\nfrom coequal.cli.app import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {never.split()} if name in sys.modules], file=sys.stderr)\n"
    )
    arguments = command.format(tmp_path).split()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
