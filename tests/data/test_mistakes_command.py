"""The command on files: what it writes, what it removes, and what it refuses."""

import io

import numpy as np
import pytest
from dataset_info import info_of
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.files.base import read_json, write_json
from foldwise.files.comparison import Confused, ConfusedPair, Mistakes
from foldwise.files.dataset import Samples, create_images, write_dataset
from stages.mistakes import main

CLASSES = ["cat <b>", "dog", "eel"]
N_TRAIN, N_TEST = 27, 3


@pytest.fixture
def write_inputs(tmp_path):
    """Write images, of which number i has the grey 5·i, and return the flags."""
    n = N_TRAIN + N_TEST
    images = create_images(tmp_path / "prepared", (n, 8, 8, 1))
    images[:] = 5 * np.arange(n).reshape(n, 1, 1, 1)
    images.flush()
    samples = Samples(["x"] * n, np.arange(n) % 3, np.arange(n), np.arange(n) >= N_TRAIN)
    info = info_of(CLASSES, (8, 8, 1), N_TRAIN, N_TEST)
    write_dataset(tmp_path / "prepared", info, samples)

    def write_inputs(*pairs):
        confused = Confused(model="lenet5" if pairs else None, pairs=list(pairs))
        write_json(tmp_path / "confused.json", confused)
        flags = {"confused": "confused.json", "dataset": "prepared", "output": "out"}
        flags |= {"drawn": "drawn.json"}
        return [
            word for flag, name in flags.items() for word in (f"--{flag}", f"{tmp_path}/{name}")
        ]

    return write_inputs


def pair(true, *images):
    return ConfusedPair(true=true, predicted="eel", images=99, share=0.5, examples=[*images])


def tiles(path):
    """Return the grey of each image in a strip."""
    picture = Image.open(io.BytesIO(path.read_bytes()))
    return np.asarray(picture)[0, ::100, 0].tolist()


def test_one_strip_per_pair_shows_its_examples_in_their_order(write_inputs, tmp_path, capsys):
    main(write_inputs(pair("dog", 4, 1), pair("cat <b>", 0), pair("eel")))
    strips = read_json(tmp_path / "out" / "strips.json", Mistakes).strips
    assert strips == [2, 1, 0]
    assert tiles(tmp_path / "out" / "0.png") == [20, 5]
    assert tiles(tmp_path / "out" / "1.png") == [0]
    files = ["0.png", "1.png", "2.png", "strips.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == files
    assert capsys.readouterr().out == (
        f"mistakes: 3 images of 3 pairs of classes -> {tmp_path / 'out'}\n"
    )


def test_a_strip_shows_at_most_the_eight_most_confident_mistakes(write_inputs, tmp_path):
    main(write_inputs(pair("cat <b>", *range(24, -1, -3))))
    assert read_json(tmp_path / "out" / "strips.json", Mistakes).strips == [8]
    assert tiles(tmp_path / "out" / "0.png") == [5 * image for image in range(24, 0, -3)]


def test_strips_of_an_earlier_run_go_away(write_inputs, tmp_path):
    main(write_inputs(pair("cat <b>", 0), pair("dog", 1)))
    main(write_inputs(pair("dog", 4)))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "strips.json"]
    main(write_inputs())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["strips.json"]
    assert read_json(tmp_path / "out" / "strips.json", Mistakes).strips == []


def test_without_the_data_nothing_is_drawn_and_the_stage_is_not_done(
    write_inputs, tmp_path, capsys
):
    flags = write_inputs(pair("cat <b>", 0))
    main(flags)
    assert (tmp_path / "drawn.json").is_file()
    (tmp_path / "prepared").rename(tmp_path / "elsewhere")
    main(flags)
    assert not (tmp_path / "drawn.json").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["strips.json"]
    assert read_json(tmp_path / "out" / "strips.json", Mistakes).strips is None
    assert "prepared is missing; run 'dvc repro'" in capsys.readouterr().out


@pytest.mark.parametrize("image", [27, 29, 1000])
def test_an_image_outside_the_training_part_is_an_error(write_inputs, image):
    with pytest.raises(InputError, match=f"confused.json: image is {image}; expected less than 27"):
        main(write_inputs(pair("cat <b>", 0), pair("cat <b>", image)))


def test_an_image_of_another_class_is_an_error(write_inputs):
    with pytest.raises(
        InputError, match="image 1 has the class 'dog'; expected 'cat <b>'; run 'dvc"
    ):
        main(write_inputs(pair("cat <b>", 1)))


def test_arrays_that_do_not_fit_are_an_error(write_inputs, tmp_path):
    flags = write_inputs(pair("dog", 1))
    create_images(tmp_path / "prepared", (30, 8, 9, 1)).flush()
    with pytest.raises(InputError, match="do not fit dataset"):
        main(flags)
