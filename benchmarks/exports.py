r"""Each architecture in each exported format: agreement with PyTorch, size and latency.

    python -m benchmarks.exports --params params.yaml --folder data/exports \
        --output reports/exports.md

The networks are untrained, of 3 channels and 10 classes, at the smallest usual size that they take.
Results are lines of JSON in FOLDER/exports.jsonl; what is there is not exported again.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError, run_main
from foldwise.core.machine import cpu_model
from foldwise.core.process import count_cores
from foldwise.data.arrays import dataset_from_arrays
from foldwise.files.catalogue import NEED_WEIGHTS, TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.files.final import FORMAT, Exported, FinalModel, Preparation
from foldwise.files.network import ChannelStatistics
from foldwise.files.params import Params, read_params
from foldwise.nets.network import construct
from foldwise.nets.resolve import fit_network
from foldwise.ship.export import compare_exports, export_all
from foldwise.ship.model import WEIGHTS, Classifier

SIDES = (32, 64, 224, 299)  # pixels
N_IMAGES = 8
# Untrained networks give nearly equal probabilities; this makes them differ.
TEMPERATURE = 0.1
TIMM = (  # a small network of each of some families
    *("test_vit", "test_resnet", "test_efficientnet", "test_convnext", "test_nfnet", "lcnet_035"),
    *("test_mambaout", "test_coatnet", "test_byobnet", "regnetx_002", "mobilevit_xxs"),
    *("starnet_s050", "levit_128s", "gmlp_ti16_224", "xcit_nano_12_p8_224", "pit_ti_224"),
)
IN_PARAMS = ("vgg_resnet_composed", "resnet18_transfer_composed", "lite0_frozen")
ALL = (
    *(name for name in ZOO if name not in NEED_WEIGHTS),  # resnet18_transfer is resnet18
    *(*TORCHVISION_MODELS, *(f"{TIMM_PREFIX}{name}" for name in TIMM), *IN_PARAMS),
)


def main() -> None:
    """Export the architectures that are not in the file yet, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    for name in ("params", "folder", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--models", default=",".join(ALL))
    args = parser.parse_args()
    torch.set_num_threads(1)
    params = read_params(args.params, "build")
    args.folder.mkdir(parents=True, exist_ok=True)
    results = args.folder / "exports.jsonl"
    lines = results.read_text().splitlines() if results.is_file() else []
    rows = {row["model"]: row for row in map(json.loads, lines)}
    models = args.models.split(",")
    for model in models:
        if model not in rows:
            rows[model] = {"model": model, **export_untrained(model, params)}
            with results.open("a") as file:
                file.write(json.dumps(rows[model]) + "\n")
            print(*_table_rows(rows[model]), sep="\n", flush=True)
    write_text(args.output, "\n".join(_page([rows[model] for model in models])) + "\n")


def export_untrained(name: str, params: Params) -> dict[str, Any]:
    """Return the side of the images and what was exported, or the error."""
    error = ""
    for side in SIDES:
        images = np.random.default_rng(0).integers(0, 256, (N_IMAGES, side, side, 3), np.uint8)
        classes = [str(number) for number in range(10)]
        info = dataset_from_arrays(images, np.arange(N_IMAGES) % 10, classes).info
        try:
            network = fit_network(name, params.build, info)
        except InputError as reason:  # too small, or made for one size
            error = str(reason)
            continue
        torch.manual_seed(0)
        statistics = ChannelStatistics(mean=[0.5] * 3, std=[0.25] * 3)
        classifier = Classifier([construct(network, {})], [statistics], TEMPERATURE).eval()
        model = FinalModel(
            format=FORMAT,
            version="benchmark",
            network=network,
            normalisation=[statistics],
            preparation=Preparation(
                height=side,
                width=side,
                channels=3,
                any_size=True,
                resize="crop",
                background=(255, 255, 255),
                scale=None,
            ),
            classes=classes,
            dataset="random",
            data_digest="0" * 64,
            weights_sha256="0" * 64,
        )
        try:
            files = _export(model, classifier, images)
        except InputError as reason:
            return {"side": side, "error": str(reason)}
        return {"side": side, "files": [each.model_dump() for each in files]}
    return {"side": SIDES[-1], "error": error}


def _export(model: FinalModel, classifier: Classifier, images: NDArray[np.uint8]) -> list[Exported]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "model"), Path(folder, "export")
        source.mkdir()
        state = classifier.members[0].state_dict()
        save_file({k: v.contiguous().clone() for k, v in state.items()}, source / WEIGHTS)
        exports = export_all(target, source, model, classifier, Path())
        return compare_exports(target, exports, images, [str(n) for n in range(len(images))])


def _table_rows(row: dict[str, Any]) -> Iterator[str]:
    if "error" in row:
        yield f"| {row['model']} | {row['side']} | {row['error']} | | | | | |"
        return
    for file in row["files"]:
        cells = (
            *(row["model"], str(row["side"]), file["file"].rpartition(".")[2]),
            f"{100 * file['same_class']:.0f} %",
            f"{file['largest_difference']:.0e}" if file["largest_difference"] else "0",
            f"{file['bytes'] / 1e6:.1f}",
            *(f"{1000 * file[key]:.1f}" for key in ("image_seconds", "image_seconds_threads")),
        )
        yield f"| {' | '.join(cells)} |"


def _page(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    failed = [row["model"] for row in rows if "error" in row]
    yield "# Exports of every architecture"
    yield ""
    yield (
        f"Made by `python -m benchmarks.exports`, on {cpu_model()}: {len(rows)} untrained networks "
        f"of 3 channels and 10 classes, each format compared with PyTorch on {N_IMAGES} random "
        f"images at batch sizes 1, 2 and {N_IMAGES}. Not exported: {', '.join(failed) or 'none'}."
    )
    yield ""
    yield (
        "| architecture | side | format | same class | largest difference | MB | ms on 1 thread | "
        f"ms on {min(4, count_cores())} threads |"
    )
    yield "| :--- | ---: | :--- | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        yield from _table_rows(row)


if __name__ == "__main__":
    run_main(main)
