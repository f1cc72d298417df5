import pytest
import torch

from foldwise.engine.hardware import choose_hardware, set_up
from foldwise.files.params import HardwareSection

SECTION = HardwareSection(precision="auto", device="cpu", threads=1)


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ({"avx512_bf16": True}, "bfloat16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": False, "avx2": True}, "float32"),
        ({}, "float32"),
    ],
)
def test_auto_takes_bfloat16_only_where_the_hardware_has_it(monkeypatch, capabilities, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_hardware(SECTION).describe().precision == precision


def test_a_torch_that_cannot_say_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_hardware(SECTION).precision == "float32"


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_those_of_the_section(threads):
    before = torch.get_num_threads()
    set_up(SECTION.model_copy(update={"threads": threads}))
    assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
