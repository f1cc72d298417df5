"""What a Ray worker receives, what it must have, and the command that it runs."""

import argparse
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError, run_main
from foldwise.core.machine import versions
from foldwise.core.process import die_with_parent
from foldwise.files.params import HardwareSection, read_params
from foldwise.run.dvc import fetch_inputs, reproduce, send_results

# Pathspecs of git. Files that git ignores stay here, above all .dvc/config.local with its
# credentials; so do .env files and everything else that train does not read.
TRACKED = (
    *(".dvc", ".dvcignore", "dvc.yaml", "dvc.lock", "params.yaml"),
    *("foldwise", "stages", "nets"),
)
UNTRACKED = "data/checked"  # the fingerprints of the code: outputs that DVC does not cache
MAX_SNAPSHOT_BYTES = 100_000_000
PRECISION_FILE = Path(".dvc/tmp/precision")  # importing torch takes seconds; folds share the result


def choose_gpus(section: HardwareSection, device: str, gpus: float | None) -> float:
    """Return the share of a GPU that a fold needs on a worker, from 0 to 1.

    Args:
        section: The hardware section of params.yaml.
        device: "cpu" or "cuda", on which a fold would train on this machine.
        gpus: Requested share of a GPU; None: 1 if a fold would train on a GPU here, else 0.

    Raises:
        InputError: If folds would train on another device than params.yaml or this machine uses.
    """
    if gpus is None:
        gpus = 1.0 if device == "cuda" else 0.0
    if not 0 <= gpus <= 1:
        raise InputError(f"--gpus is {gpus:g}; expected 0 to 1 (0.5: two folds share a GPU)")
    if gpus and section.device == "cpu":
        raise InputError(f"--gpus is {gpus:g} and hardware.device is 'cpu'; set 'cuda' or 'auto'")
    if not gpus and device == "cuda":
        raise InputError(
            f"--gpus is 0, hardware.device is {section.device!r} and this machine has a GPU; "
            "set hardware.device: cpu"
        )
    return gpus


def required_environment(
    section: HardwareSection, device: str, precision: str, gpus: float
) -> dict[str, str]:
    """Return the versions and the precision that each worker must have.

    Args:
        section: The hardware section of params.yaml.
        device: "cpu" or "cuda", on which a fold would train on this machine.
        precision: Precision of this machine, which "auto" stands for.
        gpus: Share of a GPU for a fold.

    Raises:
        InputError: If the precision is "auto" and only the workers have GPUs.
    """
    if section.precision == "auto" and device != ("cuda" if gpus else "cpu"):
        raise InputError(
            "hardware.precision is 'auto' and only the workers have GPUs, which may differ; "
            "set 'bfloat16' or 'float32'"
        )
    return versions() | {"precision": precision}


def worker_info(section: HardwareSection) -> dict[str, str]:
    """Return the versions and the precision of this worker.

    Raises:
        InputError: If the section demands CUDA and there is none.
    """
    if not PRECISION_FILE.is_file():
        from foldwise.engine.hardware import choose_hardware

        write_text(PRECISION_FILE, choose_hardware(section).precision)
    return versions() | {"precision": PRECISION_FILE.read_text(encoding="utf-8").strip()}


def require_same_environment(expected: Mapping[str, str], actual: Mapping[str, str]) -> None:
    """Check that a worker has the expected versions and precision.

    Raises:
        InputError: With every difference.
    """
    differences = [
        f"{name} is {actual[name]}; expected {value}"
        for name, value in expected.items()
        if actual[name] != value
    ]
    if differences:
        raise InputError(
            f"on the worker: {', '.join(differences)}: install the same, or results would differ"
        )


def take_snapshot(root: Path) -> bytes:
    """Return the files that workers need as a zip file, with uncommitted changes.

    Equal files give equal bytes.

    Args:
        root: Root of a git repository in which the stage check has run.

    Raises:
        InputError: If it is not a git repository, or if the files exceed 100 MB.
    """
    untracked = [path for path in (root / UNTRACKED).rglob("*") if path.is_file()]
    tracked = [path for name in _git_files(root) if (path := root / name).is_file()]
    paths = {path.relative_to(root).as_posix(): path for path in (*tracked, *untracked)}
    sizes = {name: path.stat().st_size for name, path in paths.items()}
    n_bytes = sum(sizes.values())
    if n_bytes > MAX_SNAPSHOT_BYTES:
        raise InputError(
            f"the files for the workers have {n_bytes / 1e6:,.0f} MB, the largest is "
            f"{max(sizes, key=lambda name: sizes[name])}; expected at most "
            f"{MAX_SNAPSHOT_BYTES / 1e6:.0f} MB: track it with DVC or let git ignore it"
        )
    buffer = io.BytesIO()
    # No tar file, because Python 3.11.0 to 3.11.3 cannot unpack one safely.
    with zipfile.ZipFile(buffer, mode="w") as archive:
        for name in sorted(paths):
            archive.writestr(zipfile.ZipInfo(name), paths[name].read_bytes())  # without a date
    return buffer.getvalue()


def _git_files(root: Path) -> list[str]:
    """Return the files below `TRACKED` that are in git or could be added to it."""
    options = ["-z", "--cached", "--others", "--exclude-standard", "--", *TRACKED]
    command = ["git", "ls-files", *options]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = result.stderr.strip().split("\n")[0]
        raise InputError(f"{root}: {reason}; workers receive the files that git lists")
    return [name for name in result.stdout.split("\0") if name]


def main(argv: Sequence[str] | None = None) -> None:
    """Check this worker, fetch the inputs of a stage, run it and send its results."""
    parser = argparse.ArgumentParser(prog="python -m foldwise.run.ray_worker")
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--expected", type=json.loads, required=True, help="versions, precision")
    parser.add_argument("--parent", type=int, required=True, help="process ID of the Ray task")
    args = parser.parse_args(argv)
    die_with_parent(args.parent)
    hardware = read_params(args.params, "hardware").hardware
    require_same_environment(args.expected, worker_info(hardware))
    fetch_inputs(args.stage)
    reproduce(args.stage)
    send_results(args.stage)


if __name__ == "__main__":
    run_main(main)
