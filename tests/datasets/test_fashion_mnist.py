"""Fashion-MNIST, and the Debian package that it may come from."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from coequal.datasets import _debian, fashion_mnist
from coequal.datasets._loading import data_folder
from coequal.datasets.fashion_mnist import load_fashion_mnist


@pytest.mark.parametrize("place", [".", "fashion_mnist", "fashion-mnist", "FashionMNIST/raw"])
def test_files_are_found_in_the_data_folder(publish, idx_files, put, tmp_path, place):
    publish(fashion_mnist, idx_files)
    put(tmp_path / place, idx_files)
    data = load_fashion_mnist("", tmp_path)
    assert data.name == "fashion_mnist"
    assert data.shape == (1, 28, 28)
    assert [len(data.train), len(data.validation), len(data.test)] == [10, 2, 5]
    assert data.classes[9] == "Ankle boot"


def test_without_files_it_is_looked_for_in_the_package_s_folder_and_downloaded_twice():
    assert fashion_mnist.FILES.places[-1] == Path("/usr/share/datasets/fashion-mnist")
    ways = [download.way for download in fashion_mnist.FILES.downloads]
    assert ways == ["torchvision", "package dataset-fashion-mnist"]


def test_resized_images_say_so(publish, idx_files, put, tmp_path):
    publish(fashion_mnist, idx_files)
    data = load_fashion_mnist("", put(tmp_path, idx_files), 32)
    assert data.shape == (1, 32, 32)
    assert "resized to 32x32" in data.notes[-1]


class Apt:
    """apt-get and dpkg, as far as the package is concerned; `fails` names calls that fail."""

    def __init__(self, monkeypatch, *fails):
        self.calls, self.fails = [], fails
        monkeypatch.setattr(_debian.shutil, "which", lambda tool: f"/usr/bin/{tool}")
        monkeypatch.setattr(_debian.subprocess, "run", self.run)

    def run(self, command, cwd, **how):
        private = any(word.startswith("Dir::State=") for word in command)
        action = next(word for word in command if word in ("download", "update", "-x"))
        self.calls.append(f"{'private ' if private else ''}{action}")
        if self.calls[-1] in self.fails:
            stderr = f"W: something\nE: no {self.calls[-1]}\n"
            return subprocess.CompletedProcess(command, 100, "", stderr)
        if action == "download":
            (Path(cwd) / f"{command[-1]}_1_all.deb").touch()
        return subprocess.CompletedProcess(command, 0, "", "")


def fetched(folder):
    return _debian.fetch_package("some-package", folder, lambda message: None)


def test_the_machine_s_own_lists_come_first(tmp_path, monkeypatch):
    apt = Apt(monkeypatch)
    assert fetched(tmp_path) == tmp_path / "root"
    assert apt.calls == ["download", "-x"]


def test_without_lists_it_reads_its_own_even_if_one_source_fails(tmp_path, monkeypatch):
    apt = Apt(monkeypatch, "download", "private update")
    fetched(tmp_path)
    assert apt.calls == ["download", "private update", "private download", "-x"]


def test_all_reasons_of_apt_are_in_the_message(tmp_path, monkeypatch):
    Apt(monkeypatch, "download", "private update", "private download")
    with pytest.raises(OSError) as caught:
        fetched(tmp_path)
    reasons = ("ended with 100: E: no download", "E: no private update", "E: no private download")
    for reason in reasons:
        assert reason in str(caught.value)


def test_without_apt_the_message_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(_debian.shutil, "which", lambda tool: None)
    with pytest.raises(OSError, match="there is no apt-get on this machine"):
        fetched(tmp_path)


def test_a_command_without_end_is_given_up(tmp_path, monkeypatch):
    Apt(monkeypatch)

    def run(command, **how):
        raise subprocess.TimeoutExpired(command, how["timeout"])

    monkeypatch.setattr(_debian.subprocess, "run", run)
    with pytest.raises(OSError, match="apt-get download some-package took more than 600"):
        fetched(tmp_path)


def test_the_real_files_if_they_are_here(monkeypatch):
    there = replace(fashion_mnist.FILES, downloads=())
    monkeypatch.setattr(fashion_mnist, "FILES", there)
    try:
        data = load_fashion_mnist("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"Fashion-MNIST is neither in {data_folder()} nor installed")
    assert [len(data.train), len(data.validation), len(data.test)] == [50_000, 10_000, 10_000]
    # Every class has 7,000 images, 1,000 of them in the official test.
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert labels.bincount().tolist() == [6_000] * 10
    assert data.test.labels.bincount().tolist() == [1_000] * 10
    assert data.test.labels[:5].tolist() == [9, 2, 1, 1, 6]
