import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages.build.catalogue import ADAPTER, MODELS, OWN, TORCHVISION, require_known
from stages.build.params import BuildParams
from stages.contracts.command import InputError
from stages.contracts.overrides import TrainingOverrides
from stages.contracts.params_file import read_params

ROOT = Path(__file__).parents[2]
DIGEST = "0123456789abcdef" * 4
TRANSFER = {"weights": "w.pt", "weights_sha256": DIGEST}


@pytest.fixture
def read(tmp_path):
    def read(architectures):
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump({"build": {"architectures": architectures}}))
        return read_params(path, BuildParams).build

    return read


def test_names_are_slugs():
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in MODELS)


def test_own_architectures_are_the_files_of_the_folder():
    assert {"lenet5", "resnet18_transfer", "slim_vgg", "vgg_resnet"} <= set(OWN)
    assert ADAPTER not in MODELS
    assert set(OWN).isdisjoint(TORCHVISION)
    assert len(MODELS) == len(set(MODELS))


@pytest.mark.parametrize("name", MODELS)
def test_known_names_pass(name):
    assert require_known(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../raw", "/etc", "x; touch P", "$(touch P)", "lenet5/", "networks"),
        *("lenet5\n", " lenet5", "__init__", "torchvision_classifier", "lenet5.build", "LeNet5"),
    ],
)
def test_any_other_name_is_refused(read, name):
    with pytest.raises(ValueError, match="the name of an architecture"):
        require_known(name)
    with pytest.raises(InputError, match=r"model is .*; expected the name of an architecture"):
        read({}).of(name)


def test_near_name_is_offered(read):
    with pytest.raises(InputError) as caught:
        read({}).of("ResNet18")
    assert str(caught.value) == (
        "model is 'ResNet18'; expected the name of an architecture; did you mean 'resnet18'?"
    )


def test_what_is_left_out_is_as_for_all(read):
    section = read({}).of("lenet5")
    assert section.training == TrainingOverrides(learning_rate=None, weight_decay=None)
    assert section.weights is None


def test_section_of_an_architecture(read):
    build = read({"lenet5": {"learning_rate": 0.01}, "resnet18_transfer": TRANSFER})
    assert build.of("lenet5").training == TrainingOverrides(learning_rate=0.01)
    assert build.of("resnet18_transfer").weights == "w.pt"
    assert build.of("slim_vgg").training.learning_rate is None


def test_network_that_needs_weights_says_which_keys_to_set(read):
    with pytest.raises(InputError) as caught:
        read({}).of("resnet18_transfer")
    key = "build.architectures.resnet18_transfer.weights"
    assert str(caught.value) == (
        f"resnet18_transfer needs pretrained weights; set {key} and {key}_sha256"
    )


@pytest.mark.parametrize(
    ("architectures", "message"),
    [
        ({"slim_vg": {}}, r"\.slim_vg is 'slim_vg'; expected the name.*did you mean 'slim_vgg'"),
        ({"../x": {}}, r"is '../x'; expected the name of an architecture: lenet5, "),
        ({"lenet5": {"learning_rat": 1.0}}, "lenet5.learning_rat is not a known key; did you"),
        ({"lenet5": {"learning_rate": 0.0}}, "lenet5.learning_rate is 0.0; expected more than 0"),
        ({"lenet5": TRANSFER}, "lenet5.weights is 'w.pt'; expected null: lenet5 takes no pretr"),
        ({"resnet18": {"weights": "{0}.pt"}}, r"resnet18.weights is '\{0\}.pt'; expected null"),
        ({"resnet18_transfer": {}}, "resnet18_transfer.weights is None; expected a file with"),
        ({"resnet18_transfer": {"weights": "a/w.pt"}}, "_sha256 is None; .* 'sha256sum a/w.pt'"),
        ({"resnet18_transfer": TRANSFER | {"weights": "w.pkl"}}, "is 'w.pkl'; expected a file"),
        ({"lenet5": {"weights_sha256": DIGEST}}, "expected null: there are no weights"),
        ({"lenet5": {"weights_sha256": DIGEST.upper()}}, "expected 64 lower-case hexadecimal"),
        ({"lenet5": {"weights_sha256": DIGEST + "\n"}}, "expected 64 lower-case hexadecimal"),
    ],
)
def test_unsound_architecture_is_named(read, architectures, message):
    with pytest.raises(InputError, match=message) as caught:
        read(architectures)
    assert len(str(caught.value).splitlines()) == 1


def test_every_unsound_architecture_is_named(read):
    with pytest.raises(InputError) as caught:
        read({"lenet": {}, "slim_vgg": {"weights": "w.pt"}})
    assert len(str(caught.value).splitlines()) == 2


def test_params_are_read_without_torch():
    code = "import sys, stages.build.params; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
