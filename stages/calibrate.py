"""Calibrate the probabilities on images that did not train."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.calibrate")

from collections.abc import Sequence

from foldwise.core.errors import run_main
from foldwise.core.process import parse_options
from foldwise.files.base import write_json
from foldwise.files.final import read_choice, read_out_of_fold
from foldwise.ship.calibration import calibrate


def main(argv: Sequence[str] | None = None) -> None:
    """Write calibration.json."""
    args = parse_options("calibrate", __doc__, argv, "choice output")
    record = calibrate(read_choice(args.choice), *read_out_of_fold(args.choice))
    write_json(args.output, record)
    errors = f"{record.before.calibration_error:.4f} to {record.after.calibration_error:.4f}"
    calibrated = record.calibrated
    print(
        f"calibrate: temperature {calibrated.temperature:.3f}, calibration error {errors}, sets of "
        f"{record.mean_set_size:.2f} classes cover {record.covered:.4f} -> {args.output}"
    )


if __name__ == "__main__":
    run_main(main)
