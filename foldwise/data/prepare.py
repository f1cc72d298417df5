"""Make a data set from the name of a source."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import counted
from foldwise.core.machine import chunks
from foldwise.data.class_folders import open_folder
from foldwise.data.decode import DecodedImages
from foldwise.data.idx import has_idx_files, open_idx
from foldwise.data.image_formats import has_image_ending
from foldwise.data.listing import is_visible
from foldwise.data.parts import part_roles
from foldwise.data.sources import ImageSource, open_digits
from foldwise.data.table_source import open_table
from foldwise.files.dataset import (
    DatasetInfo,
    Samples,
    create_images,
    write_dataset,
    write_digests,
    write_unreadable,
)
from foldwise.files.image_folder import list_files
from foldwise.files.params import Params


def open_source(name: str, root: str, table: str = "labels.csv") -> ImageSource:
    """Return the images of a data set, not decoded yet.

    Args:
        name: "digits", "folder", "table", or the name of a torchvision data set.
        root: The folder of the files; digits ignores it.
        table: The file that lists them, if the name is "table".

    Raises:
        InputError: If the files are missing or not laid out as expected, or something is neither
            a file nor a folder.
    """
    if name == "folder":
        return open_folder(root)
    if name == "table":
        return open_table(root, table)
    files = list_files(Path(root), allow_links=True) if Path(root).is_dir() else []
    source = _open_published(name, root)
    return replace(source, notes=(*source.notes, *_unused_note(name, root, files)))


def _open_published(name: str, root: str) -> ImageSource:
    if name == "digits":
        return open_digits()
    if has_idx_files(name, root):
        return open_idx(name, root)
    # Here: importing torchvision takes 3 to 7 seconds, which the other sources do not need.
    from foldwise.data.torchvision_sets import open_torchvision

    return open_torchvision(name, root)


def _unused_note(name: str, root: str, files: Sequence[str]) -> Iterator[str]:
    """Yield a note on own images in the folder of a published data set, which they are not part of.

    They are where `folder` looks first: in the folder, in class folders, or in parts such as train.
    The data sets of torchvision lie deeper, in a folder with the name of the data set.
    """
    own = 0
    for file in filter(has_image_ending, files):
        folders = file.split("/")[:-1]
        own += all(map(is_visible, folders)) and (len(folders) < 2 or bool(part_roles(folders[:1])))
    if own:
        yield (
            f"{root} holds {counted(own, 'image file')}, which prepare.dataset={name} does not "
            "use: set prepare.dataset=folder to compare architectures on them"
        )


def store_dataset(
    folder: Path,
    params: Params,
    source: ImageSource,
    decoded: DecodedImages,
    order: NDArray[np.intp],
    samples: Samples,
) -> DatasetInfo:
    """Write all arrays, samples.csv and dataset.json, and return dataset.json.

    Args:
        folder: Where to write.
        params: The sections seed and prepare.
        source: The images that were decoded.
        decoded: Their pixels.
        order: (m,) positions in the source of the images to store.
        samples: The table of these images.
    """
    channels = 1 if decoded.is_grey else decoded.pixels.shape[3]
    height, width = decoded.pixels.shape[1:3]
    images = create_images(folder, (len(order), height, width, channels))
    for part in chunks(len(order), decoded.pixels[0].nbytes):
        images[part] = decoded.pixels[order[part], :, :, :channels]
    n_test = int(samples.is_test.sum())
    info = DatasetInfo(
        name=params.prepare.dataset,
        classes=source.classes,
        height=height,
        width=width,
        channels=channels,
        n_train=len(samples.files) - n_test,
        n_test=n_test,
        official_test=source.has_official_test,
        n_duplicates=len(order) - len(np.unique(decoded.content_ids[order])),
        n_left_out=len(source.files) - len(order),
        n_groups=int(samples.groups.max()) + 1,
        seed=params.seed,
        decoding=decoded.facts,
    )
    write_dataset(folder, info, samples)
    write_digests(folder, decoded.digests[order])
    if params.prepare.unreadable == "skip":
        write_unreadable(folder, decoded.unreadable)
    return info


def summarise_dataset(info: DatasetInfo, notes: Sequence[str] = ()) -> str:
    """Return the numbers of images and classes, what decoding changed, and notes."""
    left_out = f", {info.n_left_out:,} left out (also test images, or under two labels)"
    return (
        f"{info.name}, {info.n_train:,} + {info.n_test:,} test images of "
        f"{info.height}×{info.width}×{info.channels} in {len(info.classes)} classes"
        f"{left_out if info.n_left_out else ''}"
        f"{''.join(f', {text}' for text in info.decoding.notes)}"
        f"{''.join(f'; {note}' for note in notes)}"
    )
