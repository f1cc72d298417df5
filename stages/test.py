"""Open the test images once, and score the final model on them."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.test")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.engine.hardware import set_up
from foldwise.files.base import read_json, write_json
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.final import CalibrationRecord, named_model, read_choice
from foldwise.files.params import read_params
from foldwise.run.guard import run_stage
from foldwise.ship.model import predict_all, read_model
from foldwise.ship.testing import score_test


def main(argv: Sequence[str] | None = None) -> None:
    """Write test.json; models that were tested on the same images before stay in it."""
    paths = "params choice model calibration dataset output"
    args = parse_options("test", __doc__, argv, paths)
    hardware = set_up(read_params(args.params, "hardware").hardware)
    calibrated = read_json(args.calibration, CalibrationRecord).calibrated
    dataset, samples = read_dataset(args.dataset), read_samples(args.dataset)
    images = dataset.images[dataset.info.n_train :]
    model, classifier = read_model(args.model)
    classifier.to(hardware.device)
    before = predict_all(classifier, images, hardware.device)
    classifier.temperature.fill_(calibrated.temperature)
    after = predict_all(classifier, images, hardware.device)
    expected = read_choice(args.choice).expected
    data, outputs = (dataset, samples), (before, after)
    record = score_test(model, calibrated, expected, data, outputs, args.output)
    write_json(args.output, record)
    low, high = record.interval
    n = len(record.openings)
    times = "" if n == 1 else f"; {n} models were tested on these images"
    name = named_model(model.network.name, len(model.normalisation))
    print(
        f"test: {name}, accuracy {record.accuracy:.4f} ({low:.4f} to {high:.4f}) on "
        f"{record.n_images:,} images{times} -> {args.output}"
    )


if __name__ == "__main__":
    run_stage(main)
