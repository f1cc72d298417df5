"""Export the final model, and prove that every file gives the same answers."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.export")

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foldwise.core.process import count_cores, parse_options
from foldwise.engine.hardware import set_up
from foldwise.files.base import read_json, write_json
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.final import CalibrationRecord, ExportRecord, TestRecord, TestScore
from foldwise.files.params import read_params
from foldwise.run.guard import run_stage
from foldwise.ship.export import OPSET, THREADS, compare_exports, export_all
from foldwise.ship.model import read_model


def main(argv: Sequence[str] | None = None) -> None:
    """Write the folder of the exported model, and the record of the comparison."""
    paths = "params model calibration test dataset output record"
    args = parse_options("export", __doc__, argv, paths)
    section = read_params(args.params, "hardware").hardware
    hardware = set_up(section.model_copy(update={"device": "cpu", "precision": "float32"}))
    calibrated = read_json(args.calibration, CalibrationRecord).calibrated
    test = read_json(args.test, TestRecord)
    model, classifier = read_model(args.model)
    classifier.temperature.fill_(calibrated.temperature)
    score = TestScore(accuracy=test.accuracy, interval=test.interval, n_images=test.n_images)
    commit = test.openings[-1].commit
    update = {"calibrated": calibrated, "test": score, "commit": commit}
    complete = model.model_copy(update=update)
    exports = export_all(args.output, args.model, complete, classifier, Path())
    dataset, samples = read_dataset(args.dataset), read_samples(args.dataset)
    n_train = dataset.info.n_train
    images, names = np.array(dataset.images[n_train:]), samples.files[n_train:]
    files = compare_exports(args.output, exports, images, names)
    threads = min(THREADS, count_cores())
    record = ExportRecord(
        n_images=len(images),
        opset=OPSET,
        threads=threads,
        files=files,
        machine=hardware.describe(),
    )
    write_json(args.record, record)
    worst = max(each.largest_difference for each in files)
    print(
        f"export: {', '.join(each.file for each in files)}, the same class for all {len(images):,} "
        f"test images, largest difference {worst:.1e} -> {args.output}"
    )


if __name__ == "__main__":
    run_stage(main)
