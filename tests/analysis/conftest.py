from pathlib import Path

import pytest

from coequal.results.folder import RunFolder

from fabricated_run import NS_GAN, VAE, Run, build


@pytest.fixture
def small(tmp_path: Path) -> RunFolder:
    """A model with one failure of four, and one that always fails."""
    return build(tmp_path / "run", {"ns_gan": NS_GAN, "vae": VAE})


@pytest.fixture
def unfinished(tmp_path: Path) -> RunFolder:
    """Two models, three of eight trials have results."""
    runs = {"ns_gan": [*NS_GAN[:2], None, None], "vae": [Run([(70, 72)]), None, None, None]}
    return build(tmp_path / "run", runs)
