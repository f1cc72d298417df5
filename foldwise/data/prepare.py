"""Open a data set by its name, and store the decoded images as one array."""

from pathlib import Path

from foldwise.core.machine import chunks
from foldwise.data.arrange import Arrangement
from foldwise.data.decode import DecodedImages
from foldwise.data.sources import ImageSource, open_digits, open_folder
from foldwise.files.dataset import DatasetInfo, create_images, write_dataset
from foldwise.files.params import Params


def open_source(name: str, root: str) -> ImageSource:
    """Return the images of a data set, not decoded yet.

    Args:
        name: "digits", "folder", or the name of a torchvision data set.
        root: The folder of the files; digits ignores it.

    Raises:
        InputError: If the files are missing or not laid out as expected.
    """
    if name == "digits":
        return open_digits()
    if name == "folder":
        return open_folder(root)
    # Here: importing torchvision takes 3 to 7 seconds, which the other sources do not need.
    from foldwise.data.torchvision_sets import open_torchvision

    return open_torchvision(name, root)


def store_dataset(
    folder: Path,
    params: Params,
    source: ImageSource,
    decoded: DecodedImages,
    arranged: Arrangement,
) -> DatasetInfo:
    """Write images.npy, labels.npy, samples.csv and dataset.json, and return dataset.json."""
    samples, order = arranged.samples, arranged.order
    channels = 1 if decoded.is_grey else 3
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
        n_duplicates=arranged.n_duplicates,
        n_left_out=arranged.n_left_out,
        n_groups=int(samples.groups.max()) + 1,
        seed=params.seed,
    )
    write_dataset(folder, info, samples)
    return info


def summarise_dataset(info: DatasetInfo) -> str:
    """Return the numbers of images and classes in one line."""
    left_out = f", {info.n_left_out:,} left out (also test images, or under two labels)"
    return (
        f"{info.name}, {info.n_train:,} + {info.n_test:,} test images of "
        f"{info.height}×{info.width}×{info.channels} in {len(info.classes)} classes"
        f"{left_out if info.n_left_out else ''}"
    )
