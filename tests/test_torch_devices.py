"""Devices: which there are, what is refused, and how exactly torch multiplies on them."""

import pytest
import torch

from coequal.devices import (
    Precision,
    chosen,
    computing_on,
    precision_on,
    protocol_of,
    refuse_missing,
)

GPU = torch.device("cuda", 1)


@pytest.fixture
def gpus(monkeypatch):
    """A machine with two NVIDIA GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("device", ["cuda:2", "cuda:7"])
def test_a_gpu_of_a_number_that_there_is_not_is_refused(gpus, device):
    with pytest.raises(ValueError, match=r"no GPU of this number; use cpu or cuda:0 or cuda:1$"):
        refuse_missing(device)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "meta", "xpu"])
def test_a_device_that_is_not_here_is_refused(no_gpu, device):
    with pytest.raises(ValueError, match=f"^device '{device}': .*none here; use cpu$"):
        refuse_missing(device)


def test_what_is_no_device_is_refused(no_gpu):
    with pytest.raises(ValueError, match=r"^device 'gpu' is not one of cpu, cuda"):
        refuse_missing("gpu")


def test_a_machine_of_apple(no_gpu, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    refuse_missing("mps")
    assert chosen("auto") == "cpu"
    with pytest.raises(ValueError, match=r"use cpu or mps$"):
        refuse_missing("cuda")


def test_auto_is_a_gpu_where_there_is_one(gpus):
    assert chosen("auto") == "cuda"
    assert [chosen(each) for each in ("cpu", "cuda", "cuda:1")] == ["cpu", "cuda", "cuda:1"]


def test_auto_is_the_cpu_elsewhere(no_gpu):
    assert chosen("auto") == "cpu"


# ------------------------------------------------------------------------------------- precision


def test_tf32_is_off_unless_it_is_asked_for(gpus):
    cudnn, before = torch.backends.cudnn, precision_on(GPU)
    assert before == Precision.tf32  # of convolutions: torch's default
    with computing_on("cuda:1") as device:
        assert device == GPU
        assert not cudnn.allow_tf32
        assert protocol_of(device) == "device=cuda"
    with computing_on("cuda:1", "tf32") as device:
        assert torch.backends.cuda.matmul.allow_tf32
        assert cudnn.allow_tf32
        assert protocol_of(device) == "device=cuda precision=tf32"
    assert precision_on(GPU) == before
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_protocol_of_the_cpu_says_nothing():
    with computing_on("cpu") as device:
        assert protocol_of(device) == ""
    assert protocol_of(torch.device("cpu")) == ""  # whatever torch's switches say


def test_torchs_newer_switches_are_set_again(gpus):
    products = torch.backends.cuda.matmul
    if not hasattr(products, "fp32_precision"):
        pytest.skip("this torch has none")
    before = products.fp32_precision
    products.fp32_precision = "tf32"
    try:
        assert precision_on(GPU) == Precision.tf32
        with computing_on("cuda:1") as device:
            assert protocol_of(device) == "device=cuda"
        assert products.fp32_precision == "tf32"
    finally:
        products.fp32_precision = before
    # Nothing is set by both names, which torch (its export, too) would refuse to read.
    assert [torch.backends.cudnn.allow_tf32, products.allow_tf32] == [True, False]


def test_a_precision_that_cant_be_had_is_refused(no_gpu, monkeypatch):
    with (
        pytest.raises(
            ValueError, match=r"tf32 needs an NVIDIA GPU, and this would run on cpu; .*32"
        ),
        computing_on("cpu", "tf32"),
    ):
        pass
    with (
        pytest.raises(ValueError, match="precision 'half' is not one of float32, tf32"),
        computing_on("cpu", "half"),
    ):
        pass
