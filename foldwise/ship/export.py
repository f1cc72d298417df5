"""Export the final model as torch.export and as ONNX, and prove that both agree with PyTorch."""

import json
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from foldwise.core.errors import InputError
from foldwise.core.process import count_cores
from foldwise.core.quiet import quiet
from foldwise.files.base import write_json
from foldwise.files.final import Exported, FinalModel
from foldwise.nets.latency import seconds_of
from foldwise.ship.model import DESCRIPTION, WEIGHTS, Classifier, own_files

OPSET = 20
LARGEST_DIFFERENCE = 1e-4  # of a probability
SMALL_BATCHES = (1, 2)
MAX_SMALL = 1000  # images in small batches, evenly spaced; more take too long
MAX_BATCH_BYTES = 2**31  # of feature maps, so that all images at once fit into memory
BYTES_PER_PIXEL = 4 * 64  # of a feature map of many channels
ROUNDING = 1e-6  # two probabilities that differ by less are equal
THREADS = 4
EXPORTERS = ("torch.onnx", "onnxscript", "onnx_ir")  # loggers that report their progress
READER = Path(__file__).with_name("read_image.py")

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def export_all(
    folder: Path, source: Path, model: FinalModel, classifier: Classifier, project: Path
) -> dict[str, Predict]:
    """Write all files, and return how each predicts.

    Args:
        folder: Where to write; emptied first.
        source: The folder of the weights.
        model: The complete description.
        classifier: On the CPU, in eval mode.
        project: The root of the project, which may hold files of own networks.

    Raises:
        InputError: If the network cannot be exported; it names the operation.
    """
    copy_model(folder, source, model, project)
    program = _trace(model, classifier)
    torch.export.save(program, folder / "model.pt2")
    _write_onnx(folder / "model.onnx", program, model)
    loaded = torch.export.load(folder / "model.pt2").module()
    return {
        "model.safetensors": partial(_run_module, classifier),
        "model.pt2": partial(_run_module, loaded),
        "model.onnx": open_onnx(folder / "model.onnx"),
    }


def copy_model(folder: Path, source: Path, model: FinalModel, project: Path) -> None:
    """Write what `read_model` and `Predictor` need, with the files of own networks.

    Args:
        folder: Where to write; emptied first.
        source: The folder of the weights.
        model: The complete description.
        project: The root of the project.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(source / WEIGHTS, folder)
    shutil.copy(READER, folder)
    write_json(folder / DESCRIPTION, model)
    if own_files(model.network):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(project / "nets", folder / "nets", ignore=ignored)


def _trace(model: FinalModel, classifier: Classifier) -> torch.export.ExportedProgram:
    size = model.preparation
    images = torch.zeros(2, size.height, size.width, size.channels, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1)
    try:
        with quiet(logging.ERROR, *EXPORTERS):
            return torch.export.export(classifier, (images,), dynamic_shapes=({0: batch},))
    except Exception as error:  # noqa: BLE001 - of the user's network, of any kind
        raise _not_exportable(model, "torch.export", error) from None


def _write_onnx(path: Path, program: torch.export.ExportedProgram, model: FinalModel) -> None:
    try:
        with quiet(logging.ERROR, *EXPORTERS):
            exported = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                input_names=["images"],
                output_names=["probabilities"],
                verbose=False,
            )
    except Exception as error:  # noqa: BLE001 - of the user's network, of any kind
        raise _not_exportable(model, f"ONNX (opset {OPSET})", error) from None
    assert exported is not None
    exported.model.metadata_props.update(_metadata(model))
    exported.save(path)


def _metadata(model: FinalModel) -> dict[str, str]:
    facts: dict[str, Any] = {
        "classes": model.classes,
        "preparation": model.preparation.model_dump(),
        "dataset": model.dataset,
        "data_digest": model.data_digest,
        "commit": model.commit,
        "test": model.test and model.test.model_dump(),
        "calibrated": model.calibrated and model.calibrated.model_dump(),
        "architecture": model.network.name,
        "foldwise": model.version,
    }
    return {key: json.dumps(value, ensure_ascii=False) for key, value in facts.items()}


def _not_exportable(model: FinalModel, target: str, error: Exception) -> InputError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "aten" in line or "Unsupported" in line or "<class" in line]
    reason = f"{type(error).__name__}: {(named or lines or [''])[0]}"[:300]
    return InputError(
        f"{model.network.name} cannot be exported to {target} ({reason}); replace that operation "
        "in the network, or choose another architecture in final/params.yaml"
    )


def open_onnx(path: Path, threads: int = 0) -> Predict:
    """Return how an ONNX file predicts, by onnxruntime on the CPU.

    Args:
        path: The file.
        threads: 0: as many as onnxruntime chooses.
    """
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


@torch.inference_mode()
def _run_module(
    module: Callable[..., torch.Tensor], images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    probabilities: NDArray[np.float32] = module(torch.from_numpy(images)).numpy()
    return probabilities


def compare_exports(
    folder: Path, exports: dict[str, Predict], images: NDArray[np.uint8], files: list[str]
) -> list[Exported]:
    """Return size, latency and agreement of each file, on every test image.

    All go in batches as large as memory allows, and up to 1000 of them alone and in pairs.

    Args:
        folder: Of the files.
        exports: How each file predicts; the first is PyTorch.
        images: (n, h, w, c) uint8.
        files: Names of the images.

    Raises:
        InputError: If a probability differs by more than 1e-4, or a class; names the image.
    """
    (_, reference), *_ = exports.items()
    n, every = len(images), np.arange(len(images))
    large = max(3, MAX_BATCH_BYTES // (BYTES_PER_PIXEL * images[0, :, :, 0].size))
    some = np.unique(np.linspace(0, n - 1, min(n, MAX_SMALL)).astype(np.int64))
    cases = [(every, large), *((some, size) for size in SMALL_BATCHES)]
    expected = _in_batches(reference, images, every, large)
    threads = min(THREADS, count_cores())
    records = []
    for name, predict in exports.items():
        difference, same = np.zeros(n), np.ones(n, dtype=bool)
        for index, size in cases:
            output = _in_batches(predict, images, index, size)
            gaps = abs(output - expected[index]).max(axis=1)
            difference[index] = np.maximum(difference[index], gaps)
            same[index] &= _same_class(output, expected[index])
        _require_agreement(folder / name, difference, same, files)
        seconds = [_latency(folder / name, predict, images[:1], each) for each in (1, threads)]
        records.append(
            Exported(
                file=name,
                # over 2 GB of weights are in a second file, model.onnx.data
                bytes=sum(part.stat().st_size for part in folder.glob(f"{name}*")),
                same_class=float(same.mean()),
                largest_difference=float(difference.max()),
                image_seconds=seconds[0],
                image_seconds_threads=seconds[1],
            )
        )
    return records


def _require_agreement(
    path: Path, difference: NDArray[np.float64], same: NDArray[np.bool_], files: list[str]
) -> None:
    """Raise an error for the worst image if a class, or a probability by too much, differs."""
    worst = int(difference.argmax() if same.all() else np.flatnonzero(~same)[0])
    if difference[worst] > LARGEST_DIFFERENCE or not same[worst]:
        raise InputError(
            f"{path}: {files[worst]} gets another class, or probabilities too far from those of "
            f"{WEIGHTS} (difference {difference[worst]:.1e}; at most {LARGEST_DIFFERENCE:g}); "
            "report it with the architecture, and use that file"
        )


def _same_class(output: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return for each image whether the likeliest class is the same, up to rounding."""
    taken = np.take_along_axis(expected, output.argmax(axis=1)[:, None], axis=1)[:, 0]
    same: NDArray[np.bool_] = expected.max(axis=1) - taken <= ROUNDING
    return same


def _in_batches(
    predict: Predict, images: NDArray[np.uint8], index: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    return np.concatenate(
        [predict(images[index[at : at + size]]) for at in range(0, len(index), size)]
    )


def _latency(path: Path, predict: Predict, image: NDArray[np.uint8], threads: int) -> float:
    """Return the median duration for one image."""
    if path.suffix == ".onnx":
        predict = open_onnx(path, threads)
    return seconds_of(partial(predict, image), threads)
