import json
from io import BytesIO

import numpy as np
import pytest
import yaml
from dataset_info import info_of
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data import contact_sheet
from foldwise.files.dataset import DecodingFacts, Samples, create_images, write_dataset
from foldwise.files.split import FoldDigests, Normalisation, Split, write_split
from stages.augment import main

SECTION = {"shift": 0.1, "flip": 0.5, "rotation": 0.0, "erase": 0.0, "brightness": 0.0}


def augment(
    root, size=12, channels=1, classes=("cat", "dog $x_1$"), seed=5, cropped=0.0, **changes
):
    """Write a data set and a split, augment, and return the folders of recipe and sheets."""
    n = 6 * len(classes)
    images = create_images(root / "prepared", (n, size, size, channels))
    images[:] = np.random.default_rng(0).integers(0, 256, images.shape)
    labels = np.arange(n) % len(classes)
    samples = Samples([str(i) for i in range(n)], labels, np.arange(n), np.zeros(n, bool))
    info = info_of(classes, (size, size, channels), n, seed=seed)
    info = info.model_copy(update={"decoding": DecodingFacts(cropped_share=cropped)})
    write_dataset(root / "prepared", info, samples)
    fold = np.arange(n) // len(classes) % 3
    stats = Normalisation(mean=[[0.5] * channels] * 3, std=[[0.2] * channels] * 3)
    digests = FoldDigests(train=[""] * 3, validation=[""] * 3)
    write_split(root / "split", Split(fold, stats, digests))
    params = root / "params.yaml"
    params.write_text(yaml.safe_dump({"augment": {**SECTION, "contrast": 0.0, **changes}}))
    flags = ["--params", params, "--dataset", root / "prepared", "--repeat", 0]
    flags += ["--split", root / "split", "--recipe", root / "a", "--sheets", root / "b"]
    main([str(flag) for flag in flags])
    return root / "a", root / "b"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the folders of recipe and sheets of the plain case."""
    return augment(tmp_path_factory.mktemp("plain"))


def test_recipe_is_the_section_as_written(plain):
    recipe, _ = plain
    assert json.loads((recipe / "recipe.json").read_text()) == {**SECTION, "contrast": 0.0}


def test_one_sheet_a_fold_and_no_two_alike(tmp_path, capsys):
    _, sheets = augment(tmp_path)
    pictures = [path.read_bytes() for path in sorted(sheets.iterdir())]
    assert [path.name for path in sorted(sheets.iterdir())] == ["0.png", "1.png", "2.png"]
    assert len(set(pictures)) == 3
    assert capsys.readouterr().out == f"augment: repeat 0, 3 contact sheets -> {sheets}\n"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("n_classes", "channels"),
    [(2, 2), (30, 3), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, 3), (30, 2)))],
)
def test_a_sheet_is_a_picture_of_bounded_size(tmp_path, channels, n_classes):
    _, sheets = augment(
        tmp_path, channels=channels, classes=[f"class {i}" for i in range(n_classes)]
    )
    width, height = Image.open(BytesIO((sheets / "0.png").read_bytes())).size
    assert 400 < width < 800
    assert height < 800


def test_a_class_name_that_no_font_has_is_one_line_and_no_warning(tmp_path, capsys):
    """Nobody has a font for Linear A."""
    augment(tmp_path, classes=("cat", "\U00010600\U00010601"))
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "; no font has \U00010600\U00010601; to see them in figures, install Noto" in out


def test_a_sheet_says_that_much_is_cropped(plain, tmp_path):
    _, sheets = plain
    _, cropped = augment(tmp_path, cropped=0.62)
    assert (sheets / "0.png").read_bytes() != (cropped / "0.png").read_bytes()


def test_same_inputs_same_bytes_and_another_seed_another_sheet(plain, tmp_path):
    for folder, twin in zip(plain, augment(tmp_path / "again"), strict=True):
        for path in folder.iterdir():
            assert path.read_bytes() == (twin / path.name).read_bytes()
    _, changed = augment(tmp_path / "changed", seed=6)
    assert (changed / "0.png").read_bytes() != (plain[1] / "0.png").read_bytes()


def test_each_epoch_that_a_sheet_shows_is_drawn_once(tmp_path, monkeypatch):
    places, draw = [], contact_sheet.draw_augmentation

    def record(recipe, n, seed, place):
        places.append(place)
        return draw(recipe, n, seed, place)

    monkeypatch.setattr(contact_sheet, "draw_augmentation", record)
    augment(tmp_path, classes=[f"class {i}" for i in range(12)])
    assert places == [(0, fold, epoch) for fold in range(3) for epoch in (1, 2, 3)]


def test_a_sheet_says_that_mixing_is_not_shown(plain, tmp_path):
    recipe, sheets = plain
    mixed_recipe, mixed = augment(tmp_path, mixup=0.2)
    assert (sheets / "0.png").read_bytes() != (mixed / "0.png").read_bytes()
    assert (recipe / "recipe.json").read_bytes() != (mixed_recipe / "recipe.json").read_bytes()


def test_new_parts_are_shown_and_colours_of_four_bands_are_refused(tmp_path):
    _, sheets = augment(tmp_path / "plain", channels=3)
    _, changed = augment(tmp_path / "changed", channels=3, trivial_augment=1.0, resized_crop=0.5)
    assert (sheets / "0.png").read_bytes() != (changed / "0.png").read_bytes()
    with pytest.raises(InputError, match=r"augment\.hue.*4 channels"):
        augment(tmp_path / "bands", channels=4, hue=0.2)
