"""How far each parameter of a network is from its output, for layer-wise learning rates."""

from collections.abc import Iterator

from torch import nn

from foldwise.files.network import Network
from foldwise.nets.network import covers
from foldwise.nets.shapes import ModuleTrace, empty_images, trace_modules

GROUP_SHARE = 0.5  # of all parameters; a larger module is a group of layers


def layer_depths(network: Network, module: nn.Module) -> dict[str, int]:
    """Return how many layers lie between each parameter and the output, by name.

    A layer is a block as the network's author grouped it. Containers, and modules that hold more
    than half of all parameters, are groups of layers. Parameters without a kernel or matrix, for
    example those of BatchNorm, belong to the layer before them. All heads are at the output.

    Args:
        network: A network with its heads.
        module: The same network on the meta device; it is changed in place.
    """
    trace = trace_modules(module.eval(), empty_images(network))
    n_parameters = sum(parameter.numel() for parameter in module.parameters())
    layers: list[list[str]] = []
    for parameters in _layers(module, trace, "", n_parameters):
        body = [name for name in parameters if not covers(network.heads, name)]
        has_kernel = any(parameters[name].ndim > 1 for name in body)
        if has_kernel or not layers:
            layers.append([])
        layers[-1] += body
    return {name: depth for depth, names in enumerate(reversed(layers), 1) for name in names}


def _layers(
    module: nn.Module, trace: ModuleTrace, path: str, total: int
) -> Iterator[dict[str, nn.Parameter]]:
    """Yield the parameters of each layer, in the order in which the layers run."""
    prefix = f"{path}." if path else ""
    if direct := {prefix + name: value for name, value in module.named_parameters(recurse=False)}:
        yield direct
    children = dict(module.named_children())
    running = [name.removeprefix(prefix) for name in trace.children(path)]
    for name in dict.fromkeys([*running, *children]):
        child = children[name]
        inner = dict(child.named_parameters(prefix + name))
        size = sum(value.numel() for value in inner.values())
        is_group = isinstance(child, nn.Sequential | nn.ModuleList) or size > GROUP_SHARE * total
        if is_group and any(True for _ in child.children()):
            yield from _layers(child, trace, prefix + name, total)
        elif inner:
            yield inner
