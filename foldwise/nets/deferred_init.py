"""Build a part of a network without memory for the other parts, with the same bits.

The network is built twice. The first build allocates no parameter and shows which ones the part
needs. The second build allocates these. For all others random numbers are drawn and dropped, so
that the part, and all that is drawn later, has the same bits as if the whole network had been
allocated.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tag, Tensor, UntypedStorage, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

aten = torch.ops.aten
_IS_META = Tensor.is_meta.__get__  # type: ignore[attr-defined]
CHUNK = 2**16  # numbers; normal_ draws them in blocks of 16, so a multiple of that
CHUNKED = (aten.uniform_.default, aten.normal_.default)  # draw n + m as first n and then m numbers


def build_part(
    build: Callable[[], nn.Module], select: Callable[[nn.Module], nn.Module]
) -> nn.Module:
    """Return `select(build())`, and allocate little else.

    Args:
        build: Returns a network with random weights; it is called twice.
        select: Returns a part of it.
    """
    if torch.empty(0).is_meta:  # the caller builds on the meta device: nothing takes memory
        return select(build())
    rng_state, survey = torch.get_rng_state(), _Survey(set())
    with _NotMeta(), survey:
        part = select(build())
    for tensor in (*part.parameters(), *part.buffers()):
        survey.need(tensor)
    torch.set_rng_state(rng_state)
    with _NotMeta(), _PartialAllocation(survey.needed):
        return select(build())


class _NotMeta(TorchFunctionMode):
    """Says of every tensor that it is not on the meta device, where torch.nn.init does nothing."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        if func == _IS_META:  # a new object at each access, hence not `is`
            return False
        return func(*args, **(kwargs or {}))


class _PartialAllocation(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives memory to some results of `torch.empty`, and drops the values of all others."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Prevent the import of torch's compiler, which takes seconds."""
        return False

    def __init__(self, needed: set[int]) -> None:
        """Allocate the needed results; they are counted from 0 in the order of the calls."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.needed = needed
        self._storages: list[UntypedStorage] = []  # of all results; kept, so that ids are unique
        self._scratch = torch.empty(2 * CHUNK)

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - an operator of torch
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Run an operator, unless it changes a tensor without data."""
        kwargs = kwargs or {}
        if func is aten.empty.memory_format and kwargs.get("device") in (None, torch.device("cpu")):
            if len(self._storages) not in self.needed:
                kwargs = {**kwargs, "device": "meta"}
            tensor: Tensor = func(*args, **kwargs)
            self._storages.append(tensor.untyped_storage())
            return tensor
        if Tag.inplace in func.tags and _is_meta(args[0]) and not func.is_view:
            self.fill(func, args[0], args[1:], kwargs)
            return args[0]
        return self.run(func, args, kwargs)

    def fill(self, func: Any, tensor: Tensor, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        """Draw the random numbers with which an operator would fill a tensor, and drop them."""
        left = tensor.numel() if Tag.nondeterministic_seeded in func.tags else 0
        while left > 0:
            n = CHUNK if left >= 2 * CHUNK else left
            func(self._scratch[:n], *args, **kwargs)
            left -= n

    def run(self, func: Any, args: Any, kwargs: Any) -> object:  # noqa: ANN401
        """Run any other operator."""
        return func(*args, **kwargs)


class _Survey(_PartialAllocation):  # type: ignore[no-untyped-call]
    """Allocates nothing, and adds the results of `torch.empty` that are read to `needed`."""

    def need(self, tensor: Tensor) -> None:
        """Remember that a tensor must be allocated."""
        storage = tensor.untyped_storage()
        self.needed |= {i for i, other in enumerate(self._storages) if other is storage}

    def fill(self, func: Any, tensor: Tensor, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        """Draw nothing; need the tensor if its random numbers cannot be drawn in chunks."""
        in_chunks = func in CHUNKED and tensor.is_contiguous() and tensor.dtype == torch.float32
        if Tag.nondeterministic_seeded in func.tags and not in_chunks:
            self.need(tensor)
        tree_map_only(Tensor, self._with_data, (args, kwargs))

    def run(self, func: Any, args: Any, kwargs: Any) -> object:  # noqa: ANN401
        """Run any other operator; it reads values, for example to adapt a kernel to channels."""
        if not func.is_view:
            args, kwargs = tree_map_only(Tensor, self._with_data, (args, kwargs))
        return func(*args, **kwargs)

    def _with_data(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the CPU: zeros for one that must be allocated in the next build."""
        if not _is_meta(tensor):
            return tensor
        self.need(tensor)
        return torch.zeros_like(tensor, device="cpu")


def _is_meta(value: object) -> bool:
    return isinstance(value, Tensor) and value.device.type == "meta"
