import subprocess
import sys

TORCH_FREE = ("arrange", "decode", "folds", "pictures", "prepare", "sources", "split")
CODE = f"""
import importlib, sys
for name in {TORCH_FREE}:
    importlib.import_module(f"foldwise.data.{{name}}")
    print(name, *({{"torch", "torchvision"}} & sys.modules.keys()))
"""


def test_torch_is_imported_only_where_images_are_augmented_or_torchvision_reads_them():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(TORCH_FREE)


def test_training_imports_no_scikit_learn_for_its_folds():
    code = "import sys, foldwise.data.folds; print({'sklearn', 'scipy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
