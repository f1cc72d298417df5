"""The final networks train on the training images alone, all of them, and say which."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from foldwise.core.errors import InputError
from foldwise.engine.hardware import set_up
from foldwise.engine.refit import open_members
from foldwise.engine.training import open_fold, train_fold
from foldwise.files.base import read_json
from foldwise.files.dataset import read_dataset
from foldwise.files.features import Features
from foldwise.files.final import FinalModel, Refit
from foldwise.files.network import Thaw, read_network, write_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.weights.tensors import read_record
from foldwise.ship.model import read_model

N = 48


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_data(root):
    choice = root / "choice"
    return (
        read_dataset(root / "prepared"),
        read_split(choice / "split"),
        read_recipe(choice / "recipe"),
    )


def test_test_images_change_no_bit_and_a_training_image_does(made, shipped, tmp_path):
    made.write_comparison(tmp_path)
    images = np.load(tmp_path / "prepared" / "images.npy", mmap_mode="r+")
    images[N:] = 255 - images[N:]
    made.run_refit(tmp_path)
    expected = sha256(shipped / "model" / "model.safetensors")
    assert sha256(tmp_path / "model" / "model.safetensors") == expected
    images[N - 1] = 255 - images[N - 1]
    images.flush()
    made.run_refit(tmp_path)
    assert sha256(tmp_path / "model" / "model.safetensors") != expected


def test_all_training_images_train_for_the_epochs_of_the_choice(shipped):
    (member,) = read_json(shipped / "refit.json", Refit).members
    assert (member.n_train, member.epochs) == (N, 2)
    model = read_json(shipped / "model" / "model.json", FinalModel)
    images = read_dataset(shipped / "prepared").images[:N] / 255
    assert model.normalisation[0].mean == pytest.approx([images.mean()])
    assert model.normalisation[0].std == pytest.approx([images.std()])


def test_the_weights_know_every_image_that_they_have_seen(shipped):
    """So a comparison on these images refuses them as a start."""
    with (shipped / "model" / "model.safetensors").open("rb") as file:
        digests = read_record(file).digests.tolist()
    assert digests == sorted(np.load(shipped / "prepared" / "digests.npy")[:N].tolist())


def test_members_are_the_networks_of_the_folds(made, tmp_path):
    made.write_comparison(tmp_path, members=2)
    made.run_refit(tmp_path)
    params = read_params(tmp_path / "params.yaml", "train", "hardware")
    section, hardware = params.train.model_copy(update={"epochs": 2}), set_up(params.hardware)
    network = read_network(tmp_path / "choice" / "network").model_copy(
        update={"keep_weights": True}
    )
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    for number in range(2):
        place = (0, number)
        fold = open_fold(read_data(tmp_path), place, network, Features(), hardware.device)
        result = train_fold(network, {}, fold, section, hardware)
        for name, tensor in result.weights.items():
            assert torch.equal(tensors[f"{number}.{name}"], tensor), name


def test_the_ensemble_is_the_mean_of_its_members(made, tmp_path):
    made.write_comparison(tmp_path, members=2)
    made.run_refit(tmp_path)
    _, classifier = read_model(tmp_path / "model")
    data = read_data(tmp_path)
    images = torch.from_numpy(np.array(data[0].images[:6]))
    index = np.arange(6)
    network = read_network(tmp_path / "choice" / "network")
    folds = open_members(data, (0, 2), network, torch.device("cpu"))
    with torch.inference_mode():
        parts = [
            torch.softmax(member(fold.inputs.plain(index)), dim=1)
            for member, fold in zip(classifier.members, folds, strict=True)
        ]
        assert torch.allclose(classifier(images), (parts[0] + parts[1]) / 2, atol=1e-6)


def test_the_lines_name_every_network_of_a_mean(made, tmp_path, capsys):
    made.write_comparison(tmp_path, members=2)
    made.run_refit(tmp_path)
    made.run_test(tmp_path)
    refit, calibrate, test = capsys.readouterr().out.splitlines()
    first, second = read_json(tmp_path / "refit.json", Refit).members
    assert "refit: mean of 2 slim_vgg, 2 epochs" in refit
    assert f"{first.train_accuracy:.4f}, {second.train_accuracy:.4f} of their" in refit
    assert "for a mean of 2; of a single network: calibration error" in calibrate
    assert "test: mean of 2 slim_vgg, accuracy" in test


def test_a_training_that_diverges_is_one_line_and_writes_nothing(made, tmp_path):
    made.write_comparison(tmp_path)
    network = made.network_of().with_learning_rate(1e30)
    write_network(tmp_path / "choice" / "network", network)
    with pytest.raises(InputError, match=r"slim_vgg diverged .*; set a lower learning_rate"):
        made.run_refit(tmp_path)
    assert not (tmp_path / "model").exists()


def test_a_layer_that_would_never_thaw_is_one_line(made, tmp_path):
    thaw = [Thaw(layers=["0"], at_epoch=epoch, learning_rate=None) for epoch in (2, 3)]
    network = made.network_of().model_copy(update={"frozen": ["0"], "thaw": thaw})
    made.write_comparison(tmp_path, network, epochs=2)
    message = r"^final/params.yaml: epochs is 2; slim_vgg .* epoch 3, .*: set at least that$"
    with pytest.raises(InputError, match=message):
        made.run_refit(tmp_path)
