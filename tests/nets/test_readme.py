"""What the documents show is sound, and works."""

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from foldwise.files.architecture import BuildSection
from foldwise.files.params import read_params
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.proof import prove_trainable, require_connected_spans, require_fit
from foldwise.nets.resolve import frozen_by_default, resolve

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())["build"]["architectures"]


def sections():
    """Return the sections of architectures in README.md and params.yaml."""
    found = dict(PARAMS)
    for block in SHOWN:
        content = yaml.safe_load(textwrap.dedent(block))
        if "prepare" not in content:  # a section of another stage
            found |= content["build"]["architectures"] if "build" in content else content
    return found


def test_readme_shows_each_way_to_an_architecture():
    keys = {key for section in sections().values() for key in section}
    assert {"base", "file", "layers", "stem", "weights", "policy", "thaw"} <= keys


def test_the_groups_in_readme_are_valid_params(tmp_path):
    (block,) = [block for block in SHOWN if block.startswith("prepare:")]
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["prepare"] |= {"dataset": "folder"} | yaml.safe_load(block)["prepare"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    assert read_params(path, "prepare").prepare.groups == r"(patient\d+)"


@pytest.mark.parametrize("name", sections())
def test_what_is_shown_can_be_built(name, info_of, tmp_path, monkeypatch):
    """All but the weights, which are to be downloaded."""
    source = re.findall(
        r"```python\n(.*?)```", (ROOT / "nets" / "README.md").read_text(), re.DOTALL
    )
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "my_net.py").write_text(source[0])
    monkeypatch.chdir(tmp_path)
    build = BuildSection.model_validate({"architectures": sections()})
    network = resolve(name, build, info_of(3, 32))
    require_connected_spans(network)
    require_fit(network)
    network = resolve_freezing(network, build.of(name), frozen_by_default(network))
    prove_trainable(network, {}, seed=0)
