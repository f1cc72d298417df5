"""Score a final model on new labelled images: class folders, or a table of files and labels."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from foldwise.core.errors import InputError, counted, first_few, lines_by_reason
from foldwise.data.content import short_digests
from foldwise.data.layout import normal
from foldwise.data.listing import list_images
from foldwise.data.tables import read_user_table
from foldwise.files.final import Evaluation
from foldwise.files.image_folder import list_files
from foldwise.nets.weights.tensors import read_record
from foldwise.ship.model import WEIGHTS
from foldwise.ship.predict import Predictor
from foldwise.ship.testing import score_images

TOP_K = 3
CONFIDENCE = 0.95  # of the interval
Labelled = list[tuple[str, str]]  # file, name of its class


def evaluate(predictor: Predictor, data: Path, batch_size: int = 64) -> Evaluation:
    """Return the scores of a model on labelled images, and which of them it has seen.

    Args:
        predictor: The model.
        data: A folder of class folders, or a CSV or Parquet file with the columns file and label.
        batch_size: Images that are computed together.

    Raises:
        InputError: If there are no images, a class is not one of the model, a file is listed
            twice, or an image cannot be read; nothing is scored then.
    """
    model = predictor.model
    labelled = _in_folders(data, model.classes) if data.is_dir() else _in_table(data)
    number = {normal(name): index for index, name in enumerate(model.classes)}
    _require_known(data, labelled, number)
    files = [file for file, _ in labelled]
    labels = np.array([number[name] for _, name in labelled], dtype=np.int64)
    probabilities, digests = _compute(predictor, files, batch_size)
    with (predictor.folder / WEIGHTS).open("rb") as file:
        known = read_record(file).digests
    seen = np.flatnonzero(np.isin(digests, known))
    assert model.calibrated is not None
    # Bytes of a name that are not UTF-8 become escapes, such as \udcff.
    place, *names = (
        text.encode(errors="backslashreplace").decode() for text in (str(data), *files)
    )
    threshold, levels = model.calibrated.threshold, (TOP_K, CONFIDENCE)
    scores = score_images(model, threshold, (labels, names), probabilities, levels)
    return Evaluation(
        **dict(scores),
        data=place,
        top_k=TOP_K,
        confidence=CONFIDENCE,
        coverage=model.calibrated.coverage,
        seen=[names[index] for index in seen] if len(known) else None,
    )


def _in_folders(data: Path, classes: Sequence[str]) -> Labelled:
    """Return the images below class folders, whose names may hold a slash, as in T-shirt/top."""
    images = list_images(data, list_files(data, allow_links=False, key="DATA")).images
    if loose := images.pop("", []):
        raise InputError(
            f"DATA: '{data}' has {counted(len(loose), 'image')} in no class folder (such as "
            f"{loose[0]}); move them to the folders of their classes, or give a table"
        )
    names = {*map(normal, classes)}
    labelled = []
    for folder, files in sorted(images.items()):
        above = [normal(path) for path in accumulate(folder.split("/"), "{}/{}".format)]
        name = next((path for path in above if path in names), above[0])
        labelled += [(str(data / file), name) for file in sorted(files)]
    return labelled


def _in_table(data: Path) -> Labelled:
    """Return the rows of a table; its paths begin at its own folder."""
    rows = [row.values for row in read_user_table(data, "DATA", ("file", "label")).rows]
    return [(str(data.parent / row["file"]), normal(row["label"])) for row in rows]


def _require_known(data: Path, labelled: Labelled, known: dict[str, int]) -> None:
    if not labelled:
        raise InputError(f"DATA: '{data}' holds no image; give class folders or a table of images")
    unknown = sorted({name for _, name in labelled} - known.keys())
    if unknown:
        raise InputError(
            f"DATA: '{data}' has the classes {first_few(list(map(repr, unknown)), 10)}, which the "
            f"model does not have; rename or remove them (it has {first_few(list(known), 20)})"
        )
    file, n = Counter(file for file, _ in labelled).most_common(1)[0]
    if n > 1:
        raise InputError(f"DATA: '{data}' lists '{file}' {n} times; remove all rows but one")


def _compute(
    predictor: Predictor, files: Sequence[str], batch_size: int
) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    """Return (n, n_classes) probabilities, and (n,) digests of the content of the files."""
    results = predictor.compute(files, batch_size)
    bar = tqdm(results, "evaluate", len(files), unit=" images", disable=None)
    probabilities, digests, errors = [], [], []
    for file, result in bar:
        if isinstance(result, InputError):
            errors.append((str(file), str(result)))
        else:
            probabilities.append(result.probabilities)
            digests.append(result.digest)
    if errors:
        n = f"{len(errors):,} of {counted(len(files), 'image')}"
        raise InputError(f"{lines_by_reason(errors)}\n{n} cannot be read; nothing was scored")
    return np.stack(probabilities), short_digests(digests)
