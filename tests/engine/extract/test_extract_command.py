import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.data.augment import draw_view
from foldwise.engine.inputs import ImageBatches
from foldwise.files.base import read_json
from foldwise.files.dataset import read_dataset
from foldwise.files.features import read_features
from foldwise.files.measurements import Extraction
from foldwise.files.network import read_network
from foldwise.files.split import read_recipe
from foldwise.nets.network import construct, tail_module
from foldwise.nets.weights.tensors import read_initial_weights
from stages.extract import main

ROOT = Path(__file__).parents[2]
PARTLY = {"frozen": ["[0:14]"]}
BODY = {"policy": "frozen"}


def whole_and_rest(tmp_path):
    network = read_network(tmp_path / "network")
    weights = read_initial_weights(tmp_path / "network")
    rest = tail_module(construct(network, weights).eval(), network.cut).eval()
    return network, construct(network, weights).eval(), rest


def as_batch(array):
    batch = torch.from_numpy(np.array(array))
    return batch.permute(0, 3, 1, 2) if batch.ndim == 4 else batch


@pytest.mark.parametrize("section", [PARTLY, BODY], ids=["prefix", "all but the head"])
@torch.no_grad()
def test_features_lead_to_the_logits_that_images_lead_to(case, tmp_path, section):
    main(case(**section))
    _, whole, rest = whole_and_rest(tmp_path)
    features, dataset = read_features(tmp_path / "features"), read_dataset(tmp_path / "prepared")
    images = ImageBatches(dataset.images, [0.5], [0.25], torch.device("cpu"))
    index, recipe = np.arange(30), read_recipe(tmp_path / "augmented")
    expected = whole(images.plain(index))
    torch.testing.assert_close(rest(as_batch(features.plain)), expected, rtol=1e-4, atol=1e-4)
    assert len(features.views) == 2
    for number, view in enumerate(features.views):
        draws = draw_view(recipe, (30, 16, 16), 7, number)
        expected = whole(images.augmented(index, draws, recipe))
        torch.testing.assert_close(rest(as_batch(view)), expected, rtol=1e-4, atol=1e-4)
    assert not np.array_equal(*features.views)


def test_training_images_alone_have_features(case, tmp_path):
    main(case(**BODY))
    assert read_features(tmp_path / "features").plain.shape == (30, 128)


def test_without_augmentation_the_only_view_is_the_image(case, tmp_path):
    main(case(augment={"shift": 0}, **BODY))
    features = read_features(tmp_path / "features")
    assert len(features.views) == 1
    assert np.array_equal(features.views[0], features.plain)
    assert [path.name for path in (tmp_path / "features").glob("*.npy")] == ["plain.npy"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "every layer trains"),
        ({"frozen": ["14"]}, "no part from the input on, or up to the head, stays frozen"),
        (BODY | {"normalisation": None}, "each fold normalises the images in its own way"),
        (BODY | {"most": 1e-6}, "they would take 4.6e-05 GB, over extract.most_gigabytes, 1e-06"),
        (
            BODY | {"thaw": [{"at_epoch": 2, "layers": "[0:20]"}]},
            "no part from the input on, or up to the head, stays frozen to the end",
        ),
    ],
)
def test_where_nothing_can_be_kept_it_says_why(case, tmp_path, capsys, changes, reason):
    main(case(**changes))
    features = read_features(tmp_path / "features")
    assert (features.plain, features.views) == (None, [])
    assert f"extract: net, no features, {reason}" in capsys.readouterr().out
    assert list((tmp_path / "features").glob("*.npy")) == []


def test_extraction_is_timed_beside_the_features_and_only_where_there_are_any(case, tmp_path):
    def timing():
        return read_json(tmp_path / "extraction" / "net.json", Extraction)

    main(case(**BODY))
    assert timing().seconds > 0
    assert timing().machine.threads == 1
    main(case())
    assert timing() == Extraction(seconds=0, machine=None)


def test_features_of_an_earlier_network_do_not_stay(case, tmp_path):
    main(case(**BODY))
    main(case())
    assert [path.name for path in (tmp_path / "features").iterdir()] == ["features.json"]


def test_same_inputs_same_bytes(case, tmp_path):
    flags = case(**PARTLY)
    main(flags)
    before = {path.name: path.read_bytes() for path in (tmp_path / "features").iterdir()}
    main(flags)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "features").iterdir()}
    assert sorted(before) == ["features.json", "plain.npy", "view-0.npy", "view-1.npy"]


def test_networks_without_a_frozen_part_cost_no_start_of_torch(case):
    code = (
        "import sys, stages.extract as stage; stage.main(sys.argv[1:]);"
        "sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, *case()]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0


def test_images_with_cached_features_cannot_be_mixed(case, tmp_path):
    with pytest.raises(InputError, match=r"augment\.mixup is 0\.2.*extract\.most_gigabytes to 0"):
        main(case(augment={"mixup": 0.2}, **BODY))
    main(case(augment={"cutmix": 0.2}, most=0, **BODY))
    assert not read_features(tmp_path / "features").views
