"""The folder of the images, on which prepare depends, so that other images are prepared anew."""

from pathlib import Path

from stages.contracts.command import InputError


def provide_root(dataset: str, root: str, place: str) -> None:
    """Stop if one's own images are not there; make an empty folder for all other sources.

    DVC stops with a message of its own where a dependency is missing, and neither digits nor what
    torchvision is about to download has files there.

    Args:
        dataset: prepare.dataset.
        root: prepare.root.
        place: The file that says so.

    Raises:
        InputError: If there is no such folder, and none can be made.
    """
    if dataset == "folder" and not Path(root).is_dir():
        raise InputError(
            f"{place}: prepare.root is {root!r}, which is no folder; put a folder of images for "
            "each class there, or name another"
        )
    try:
        Path(root).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{place}: prepare.root is {root!r}, where no folder can be made ({error.strerror}); "
            "name another"
        ) from None
