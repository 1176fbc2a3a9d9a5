"""What all tests share: one thread, and nothing from the user's own folders."""

from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("COEQUAL_OFFLINE", "1")  # no test asks the network
    patch.setenv("COEQUAL_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    patch.setenv("HF_HOME", str(tmp_path_factory.getbasetemp() / "hub"))


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parent.parent
