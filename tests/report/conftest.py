from pathlib import Path

import pytest

from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from fabricated_run import NS_GAN, VAE, Run, build, written
from fabricated_study import whole_study


@pytest.fixture
def small(tmp_path: Path) -> RunFolder:
    """A model with one failure of four, and one that always fails."""
    return build(tmp_path / "run", {"ns_gan": NS_GAN, "vae": VAE})


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The same with its report, to be read and not to be changed."""
    folder = build(tmp_path_factory.mktemp("reported") / "run", {"ns_gan": NS_GAN, "vae": VAE})
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Three models on two datasets with every phase, and its report; not to be changed."""
    run = whole_study(models=("ns_gan", "wgan", "vae"), settings=12, seeds=6, moved=2)
    folder = written(tmp_path_factory.mktemp("everything") / "run", run)
    write_report(folder)
    return folder


@pytest.fixture
def unfinished(tmp_path: Path) -> RunFolder:
    """Two models, three of eight trials have results."""
    runs = {"ns_gan": [*NS_GAN[:2], None, None], "vae": [Run([(70, 72)]), None, None, None]}
    return build(tmp_path / "run", runs)
