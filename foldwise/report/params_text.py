"""params.yaml as it counts: without comments."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML


def params_text(params: Mapping[str, Any]) -> str:
    """Return the parameters as YAML, in the order in which they were written.

    Args:
        params: The content of params.yaml.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 96
    text = io.StringIO()
    yaml.dump(dict(params), text)
    return text.getvalue().rstrip("\n")
