"""What a new version of torch or torchvision could break: private modules and object identity."""

import pytest
import torch

CODE = """
import sys
from foldwise.nets.from_library import models
print("torch._dynamo" in sys.modules, "torch._dynamo.utils" in sys.modules)
import torch
from torchvision.ops import roi_align
later = sys.modules["torchvision.ops.roi_align"].is_compile_supported("cpu")
from torch._dynamo.utils import is_compile_supported
print(later == is_compile_supported("cpu"))
print(roi_align(torch.ones(1, 1, 8, 8), [torch.tensor([[0.0, 0, 4, 4]])], 2).sum().item())
"""


@pytest.mark.slow
def test_the_compiler_is_imported_when_it_is_called_and_not_before(torch_process):
    done = torch_process.run("-c", CODE, check=False)
    assert done.stdout.split() == ["False", "False", "True", "4.0"], (
        "torchvision imports another part of torch's compiler than COMPILER in "
        f"foldwise/nets/from_library.py; adapt it: {done.stderr}"
    )


def test_views_of_a_tensor_return_the_same_storage_object():
    for device in ("cpu", "meta"):
        tensor = torch.empty(4, 4, device=device)
        storage = tensor.untyped_storage()
        assert tensor[1:].detach().untyped_storage() is storage, (
            "torch makes a new storage object for each view; predict_memory in "
            "foldwise/nets/cost.py must recognise storages in another way"
        )
