"""Records and cards that do not belong together stop stage compare by name, with a remedy."""

import shutil

import numpy as np
import pytest
from records import card, flags, record, record_path, write_case

from foldwise.core.errors import InputError
from foldwise.data.arrays import dataset_from_arrays
from foldwise.data.split import split_dataset
from foldwise.files.fold_record import write_record
from foldwise.files.network import write_card
from stages.compare import main

TWO = {"lenet5": [[0.9, 0.92, 0.91]], "slim_vgg": [[0.95, 0.94, 0.97]]}


def test_missing_record_is_named_with_what_to_do(tmp_path):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "lenet5", 0, 1)
    path.unlink()
    with pytest.raises(InputError) as caught:
        main(flags(tmp_path))
    assert str(caught.value) == f"{path} is missing; run 'dvc repro' to make it"
    assert not (tmp_path / "out").exists()


def test_missing_card_is_named_with_what_to_do(tmp_path):
    write_case(tmp_path, TWO)
    shutil.rmtree(tmp_path / "models" / "lenet5")
    with pytest.raises(InputError, match=r"lenet5/card.json is missing; run 'dvc repro'"):
        main(flags(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "alexnet"}, "name is 'alexnet', but 'slim_vgg'"),
        ({"parameters": 10}, "parameters is 10, but 1000 according to trainable_parameters"),
        ({"input_shape": [1, 8, 9]}, r"input_shape\[2\] is 9, but 8 according to .*lenet5/card"),
    ],
)
def test_card_that_contradicts_itself_or_another_is_refused(tmp_path, changes, message):
    write_case(tmp_path, TWO)
    write_card(tmp_path / "models" / "slim_vgg", card("slim_vgg").model_copy(update=changes))
    with pytest.raises(InputError, match=rf"slim_vgg/card\.json: {message}.*build@slim_vgg', then"):
        main(flags(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "slim_vgg"}, "model is 'slim_vgg', but 'lenet5' according to params.yaml"),
        ({"repeat": 1}, "repeat is 1, but 0 according to params.yaml"),
        ({"fold": 2}, "fold is 2, but 1 according to params.yaml"),
        ({"n_folds": 5}, "n_folds is 5, but 3 according to params.yaml"),
    ],
)
def test_record_that_is_not_of_its_place_is_refused(tmp_path, changes, message):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "lenet5", 0, 1)
    write_record(path, record(**{"model": "lenet5", "fold": 1} | changes))
    with pytest.raises(InputError) as caught:
        main(flags(tmp_path))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; run 'dvc repro -f -s train@lenet5-0-1', then 'dvc repro'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sibling"),
    [
        ({"n_train": 201}, "lenet5-0-2"),
        ({"n_validation": 99, "n_train": 200}, "lenet5-0-2"),
        ({"epochs": 3}, "lenet5-0-0"),
        ({"batch_size": 128}, "lenet5-0-0"),
    ],
)
def test_folds_that_do_not_pair_are_refused(tmp_path, changes, sibling):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "slim_vgg", 0, 2)
    write_record(path, record("slim_vgg", 0, 2, 0.97, **changes))
    key, value = next(iter(changes.items()))
    with pytest.raises(InputError, match=f"^{path}: {key} is {value}, but ") as caught:
        main(flags(tmp_path))
    remedy = f"; run 'dvc repro -f -s train@slim_vgg-0-2 train@{sibling}', then 'dvc repro'"
    assert str(caught.value).endswith(remedy)
    assert "\n" not in str(caught.value)


def test_splits_of_two_seeds_do_not_pair_though_their_classes_are_equally_frequent(tmp_path):
    write_case(tmp_path, TWO)
    labels = np.tile(np.arange(4), 75)
    images = np.random.default_rng(0).integers(0, 256, (300, 4, 4, 1), dtype=np.uint8)
    path, twin = (record_path(tmp_path / "folds", model, 0, 2) for model in ("slim_vgg", "lenet5"))
    for seed, file, model in ((0, twin, "lenet5"), (1, path, "slim_vgg")):
        dataset = dataset_from_arrays(images, labels, list("abcd"), seed=seed)
        split = split_dataset(dataset, np.arange(300), 3, repeat=0)
        train, validation = split.digests.train[2], split.digests.validation[2]
        changes = {"train_digest": train, "validation_digest": validation}
        assert np.bincount(labels[split.fold == 2]).tolist() == [25] * 4
        write_record(file, record(model, 0, 2, 0.9, **changes))
    with pytest.raises(InputError, match=f"^{path}: train_digest is .*, but .* {twin}; run"):
        main(flags(tmp_path))


def test_classes_are_those_of_the_card(tmp_path):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "slim_vgg", 0, 2)
    write_record(path, record("slim_vgg", 0, 2, n_classes=5))
    with pytest.raises(InputError, match=r"slim_vgg/0-2\.json: fold_counts\.n_classes is 5, but"):
        main(flags(tmp_path))
    for name in TWO:
        write_card(tmp_path / "models" / name, card(name, classes=["cat", "dog"]))
    write_record(path, record("slim_vgg", 0, 2))
    with pytest.raises(
        InputError, match=r"0-0\.json: fold_counts\.n_classes is 4, but 2 .*/lenet5/card\.json"
    ):
        main(flags(tmp_path))


def test_cards_of_other_data_are_refused(tmp_path):
    write_case(tmp_path, TWO)
    write_card(tmp_path / "models" / "slim_vgg", card("slim_vgg", classes=["a", "b", "c", "d"]))
    with pytest.raises(
        InputError, match=r"slim_vgg/card.json: classes differ .*lenet5/card.json; run 'dvc repro'"
    ):
        main(flags(tmp_path))
