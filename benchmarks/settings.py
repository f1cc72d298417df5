"""Change some values of params.yaml."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from foldwise.files.base import read_yaml


def write_settings(source: Path, values: dict[str, Any], target: Path) -> None:
    """Write the parameters of a file with some values changed.

    Args:
        source: params.yaml.
        values: New values; the other keys of a section stay.
        target: The file to write; may be the source.
    """
    content = read_yaml(source)
    for key, value in values.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    YAML(typ="safe").dump(content, target)
