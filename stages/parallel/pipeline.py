"""The pipeline before and after the trainings, run by DVC."""

import subprocess

from stages.contracts.command import InputError
from stages.parallel.child import dvc_command

UPSTREAM = ("prepare", "split", "augment", "build", "extract", "forecast")  # of train; check, too


def repro(*targets: str) -> None:
    """Bring stages and all before them up to date; what DVC prints goes to the terminal.

    Args:
        targets: Names of dvc.yaml; none: all of it.

    Raises:
        InputError: If DVC fails, which has then said why.
    """
    _dvc("repro", *targets, stdout=None)


def push(remote: str, *targets: str) -> None:
    """Bring the outputs of stages to a DVC remote.

    Args:
        remote: Its name.
        targets: Names of dvc.yaml.

    Raises:
        InputError: If DVC fails, which has then said why.
    """
    _dvc("push", "--remote", remote, *targets, stdout=None)


def status() -> str:
    """Return what `dvc status` says of the trainings, as JSON; it asks no network.

    Raises:
        InputError: If DVC fails, which has then said why.
    """
    return _dvc("status", "--json", "train", stdout=subprocess.PIPE)


def _dvc(*words: str, stdout: int | None) -> str:
    command = dvc_command("--wait-for-lock", *words)
    with subprocess.Popen(command, stdout=stdout, text=True, start_new_session=True) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise InputError(
            f"'dvc {' '.join(words)}' ended with status {process.returncode}; mend what it says "
            "above, and run this again: what is done stays done"
        )
    return said or ""
