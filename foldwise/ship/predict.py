"""Predict image files with an exported model: read them as stage prepare does, in batches."""

import errno
import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from foldwise.core.errors import InputError, named_file
from foldwise.core.process import count_cores
from foldwise.data.listing import Listing, list_images, other_files
from foldwise.data.pixels import DecodedImage, PixelSettings, decode_image
from foldwise.data.threads import map_ahead
from foldwise.data.unreadable import MissingSettingError
from foldwise.engine.hardware import set_up
from foldwise.files.final import Preparation
from foldwise.files.image_folder import list_files
from foldwise.files.params import HardwareSection
from foldwise.ship.conformal import prediction_sets
from foldwise.ship.model import AGAIN, DESCRIPTION, predict_all, read_model

EXHAUSTED = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)  # says nothing about the file
BANDS = {1: "grey images", 3: "images in colour or grey"}  # that a model of such channels takes


@dataclass(frozen=True)
class Prediction:
    """What the model says of one image.

    Attributes:
        file: The path, as it was asked for.
        ranking: Classes and their probabilities, the likeliest first; empty if unreadable.
        prediction_set: Classes that together hold the true class with the calibrated coverage, the
            likeliest first.
        error: Why the image cannot be read, and the remedy; None if it was.
    """

    file: str
    ranking: Sequence[tuple[str, float]] = ()
    prediction_set: Sequence[str] = ()
    error: str | None = None


class Computed(NamedTuple):
    """What the model makes of one image, and which image that is."""

    probabilities: NDArray[np.float32]  # (n_classes,)
    digest: bytes  # SHA-256 of the content of the file


class Predictor:
    """An exported model that predicts image files.

    >>> predictor = Predictor("data/final/export")  # doctest: +SKIP
    >>> [result.ranking[0] for result in predictor.predict(["photo.jpg"])]  # doctest: +SKIP
    [('cat', 0.97)]
    """

    def __init__(self, folder: Path | str, device: Literal["auto", "cpu", "cuda"] = "auto") -> None:
        """Read the model, and configure torch for this device, in float32.

        Args:
            folder: Holds model.json and model.safetensors.
            device: "auto" means CUDA, where the machine has it.

        Raises:
            InputError: If the model is missing, damaged, changed, of another version or not
                calibrated, or if there is no such device.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError(
                "--device is cuda, but torch finds no CUDA device; set it to auto or cpu"
            )
        self.folder = Path(folder)
        self.model, classifier = read_model(self.folder)
        if self.model.calibrated is None:
            place = self.folder / DESCRIPTION
            raise InputError(f"{place} is not calibrated; give the folder of the export: {AGAIN}")
        self._threshold = self.model.calibrated.threshold
        section = HardwareSection(precision="float32", device=device, threads=count_cores())
        self._device = set_up(section).device
        self._classifier = classifier.to(self._device)

    def predict(
        self, files: Iterable[str | Path], top: int = 3, batch_size: int = 64
    ) -> Iterator[Prediction]:
        """Yield the prediction of each file, in order; threads read a few batches ahead.

        Args:
            files: Paths of images; see `find_images` for folders and glob patterns.
            top: Length of the ranking; at most all classes.
            batch_size: Images that are computed together.
        """
        names = self.model.classes
        for file, result in self.compute(files, batch_size):
            if isinstance(result, InputError):
                yield Prediction(str(file), error=str(result))
                continue
            row = result.probabilities
            (is_member,) = prediction_sets(row[None].astype(np.float64), self._threshold)
            order = np.argsort(-row, kind="stable").tolist()
            ranking = [(names[index], float(row[index])) for index in order[:top]]
            yield Prediction(str(file), ranking, [names[at] for at in order if is_member[at]])

    def compute(
        self, files: Iterable[str | Path], batch_size: int = 64
    ) -> Iterator[tuple[str | Path, Computed | InputError]]:
        """Yield each file with its probabilities, or with the reason why it cannot be read."""
        read = partial(read_pixels, preparation=self.model.preparation)
        images = map_ahead(read, files)
        while batch := list(islice(images, batch_size)):
            pixels = [image.pixels for _, image in batch if not isinstance(image, InputError)]
            rows: Iterator[NDArray[np.float32]] = iter(())
            if pixels:
                n = len(pixels)
                rows = iter(predict_all(self._classifier, np.stack(pixels), self._device, n))
            for file, image in batch:
                if isinstance(image, InputError):
                    yield file, image
                else:
                    yield file, Computed(next(rows), image.original_digest)


def read_pixels(path: str | Path, preparation: Preparation) -> DecodedImage:
    """Return an image with the pixels that stage prepare stores, (height, width, channels).

    Args:
        path: The file.
        preparation: Of the model.

    Raises:
        InputError: If it cannot be read, or differs in depth, bands or size from the images that
            the model takes. The message lacks the name of the file, which goes before it.
        OSError: If memory or file handles are short.
    """
    size = (preparation.height, preparation.width) if preparation.any_size else None
    settings = PixelSettings(size, preparation.resize, preparation.background, preparation.scale)
    try:
        if not Path(path).is_file():  # nor a device, which may block for ever
            raise InputError("is not a file; correct the path")
        with named_file(str(path)):
            image = decode_image(Path(path), settings)
    except OSError as error:
        if error.errno in EXHAUSTED:
            raise
        raise InputError(f"cannot be read ({error.strerror}); correct its path or mode") from None
    except MissingSettingError:
        raise InputError(
            "has more than 8 bits per channel; the model takes 8 bits: convert it"
        ) from None
    if mismatch := _mismatch(image, preparation):
        raise InputError(mismatch)
    return image._replace(pixels=image.pixels[..., : preparation.channels])


def _mismatch(image: DecodedImage, preparation: Preparation) -> str | None:
    """Return why an image is not like the images that trained, as prepare requires it."""
    (height, width, n_bands), channels = image.pixels.shape, preparation.channels
    takes = f"the model takes {BANDS.get(channels, f'images of {channels} bands')}"
    if n_bands != (channels if channels not in BANDS else 3):
        return f"has {image.bands}; {takes}: convert it"
    if channels == 1 and not image.is_grey:
        return f"has colours; {takes}: convert it"
    if preparation.scale is not None and image.bits <= 8:
        low, high = preparation.scale
        return (
            f"has 8 bits per channel; the model takes images of more bits, with {low} as black and "
            f"{high} as white: save it as the images that trained"
        )
    if (height, width) != (preparation.height, preparation.width):
        return (
            f"is {width}×{height} pixels; the model takes {preparation.width}×{preparation.height} "
            "only: resize it as the images that trained"
        )
    return None


def find_images(arguments: Iterable[str | Path]) -> list[str]:
    """Return the paths of files, of all images below folders, and of what glob patterns match.

    Args:
        arguments: Files, folders and patterns such as "photos/**/*.jpg".

    Raises:
        InputError: If one is empty, does not exist, match or hold an image, or cannot be read; one
            line for each. Folders without images do not matter beside others that a pattern finds.
    """
    files: list[str] = []
    errors: list[str] = []
    for argument in map(str, arguments):
        try:
            files += _expand(argument)
        except InputError as error:
            errors.append(str(error))
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); correct its path or mode"
            errors.append(f"IMAGES: {argument!r} {reason}")
    if errors:
        raise InputError("\n".join(errors))
    return files


def _expand(argument: str) -> list[str]:
    if not argument:  # to Path, the current folder
        raise InputError("IMAGES: '' is empty; name a file, a folder (such as .) or a pattern")
    path = Path(argument)
    if path.is_dir():
        if files := _images_below(path):
            return files
        others = list(chain.from_iterable(_listed(path).others.values()))
        only = f", only {other_files(others)}" if others else ""
        raise InputError(f"IMAGES: {argument!r} holds no image{only}; name another folder")
    if path.exists():
        return [argument]
    if not glob.has_magic(argument):
        raise InputError(f"IMAGES: {argument!r} does not exist; correct the path")
    matches = map(Path, sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207 - any root
    found = [_images_below(match) if match.is_dir() else [str(match)] for match in matches]
    if not any(found):
        raise InputError(f"IMAGES: {argument!r} matches no image; correct the pattern")
    return list(dict.fromkeys(chain(*found)))  # a/** matches a folder, and also its files


def _images_below(folder: Path) -> list[str]:
    """Return the images in a folder and its sub-folders as stage prepare lists them, sorted."""
    images = sorted(chain.from_iterable(_listed(folder).images.values()))
    return [str(folder / image) for image in images]


def _listed(folder: Path) -> Listing:
    return list_images(folder, list_files(folder, allow_links=False, key="IMAGES"))
