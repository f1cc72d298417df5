import subprocess
import sys

CODE = """
import sys
from foldwise.nets.from_torchvision import models
print("torch._dynamo" in sys.modules, "torch._dynamo.utils" in sys.modules)
import torch
from torchvision.ops import roi_align
there = sys.modules["torchvision.ops.roi_align"].is_compile_supported("cpu")
from torch._dynamo.utils import is_compile_supported
print(there == is_compile_supported("cpu"))
print(roi_align(torch.ones(1, 1, 8, 8), [torch.tensor([[0.0, 0, 4, 4]])], 2).sum().item())
"""


def test_the_compiler_is_imported_when_it_is_called_and_not_before():
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False", "True", "4.0"]
