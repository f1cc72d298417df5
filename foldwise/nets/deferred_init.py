"""Build a part of a network without memory for the other parts, with the same bits.

The parameters of the whole network are created on the meta device while their initialisation is
recorded. Then the parameters of the part are allocated and initialised as recorded. For all others
random numbers are drawn and dropped, so that the part, and all that is drawn later, has the same
bits as if the whole network had been allocated.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tag, Tensor, UntypedStorage, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
_IS_META = Tensor.is_meta.__get__  # type: ignore[attr-defined]
CHUNK = 2**16  # numbers; normal_ draws them in blocks of 16, so a multiple of that
CHUNKED = (aten.uniform_.default, aten.normal_.default)  # draw n + m as first n and then m numbers


class _UnsupportedError(RuntimeError):
    """An initialisation that cannot be recorded."""


class _Operation(NamedTuple):
    """An in-place operation on a tensor without data, or on a view of it."""

    func: Callable[..., object]
    view: tuple[Any, Any, Any]  # size, stride, offset
    args: tuple[object, ...]
    kwargs: dict[str, object]
    rng_state: Tensor | None  # before the operation; None: it draws no random numbers


class _Record(NamedTuple):
    storage: UntypedStorage  # kept, so that its id stays its own
    operations: list[_Operation]


def build_part(
    build: Callable[[], nn.Module], select: Callable[[nn.Module], nn.Module]
) -> nn.Module:
    """Return `select(build())`, and allocate no other module.

    If the initialisation of the network cannot be recorded, it is allocated as a whole.

    Args:
        build: Returns a network with random weights.
        select: Returns a part of it.
    """
    rng_state, deferred = torch.get_rng_state(), _DeferredInit()
    try:
        with _NotMeta(), deferred:
            part = select(build())
        deferred.materialise(part)
    except _UnsupportedError:
        torch.set_rng_state(rng_state)
        return select(build())
    return part


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


class _DeferredInit(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives the results of `torch.empty` no memory and records what is done to them in place."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Prevent the import of torch's compiler, which takes seconds."""
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._records: dict[int, _Record] = {}  # by the id of the storage
        self._scratch = torch.empty(2 * CHUNK)

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - an operator of torch
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Run an operator, or record it if it changes a tensor without data."""
        kwargs = kwargs or {}
        if func is aten.empty.memory_format and kwargs.get("device") in (None, torch.device("cpu")):
            tensor: Tensor = func(*args, **{**kwargs, "device": "meta"})
            storage = tensor.untyped_storage()
            self._records[id(storage)] = _Record(storage, [])
            return tensor
        if func.is_view or not any(_is_meta(arg) for arg in args):
            return func(*args, **kwargs)
        if Tag.inplace in func.tags:
            return self._record(func, args[0], args[1:], kwargs)
        # Anything else needs the data, for example to adapt a kernel to the channels of images.
        return func(*(self._real(arg) if _is_meta(arg) else arg for arg in args), **kwargs)

    def _record(self, func: Any, tensor: Tensor, args: Any, kwargs: Any) -> Tensor:  # noqa: ANN401
        if not _is_meta(tensor) or any(_is_meta(arg) for arg in args):
            raise _UnsupportedError
        rng_state = torch.get_rng_state() if Tag.nondeterministic_seeded in func.tags else None
        view = (tuple(tensor.size()), tensor.stride(), tensor.storage_offset())
        operation = _Operation(func, view, args, kwargs, rng_state)
        self._record_of(tensor).operations.append(operation)
        if rng_state is not None:
            if func not in CHUNKED or not tensor.is_contiguous() or tensor.dtype != torch.float32:
                raise _UnsupportedError
            left = tensor.numel()
            while left > 0:
                n = CHUNK if left >= 2 * CHUNK else left
                func(self._scratch[:n], *args, **kwargs)
                left -= n
        return tensor

    def _record_of(self, tensor: Tensor) -> _Record:
        record = self._records.get(id(tensor.untyped_storage()))
        if record is None:
            raise _UnsupportedError
        return record

    def _real(self, tensor: Tensor) -> Tensor:
        """Return a tensor with memory, initialised as recorded."""
        storage, operations = self._record_of(tensor)
        base = torch.empty(storage.nbytes() // tensor.element_size(), dtype=tensor.dtype)
        rng_state = torch.get_rng_state()
        for operation in operations:
            if operation.rng_state is not None:
                torch.set_rng_state(operation.rng_state)
            operation.func(base.as_strided(*operation.view), *operation.args, **operation.kwargs)
        torch.set_rng_state(rng_state)
        return base.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    @torch.no_grad()
    def materialise(self, module: nn.Module) -> None:
        """Replace the parameters and buffers without data; shared ones stay shared."""
        replaced: dict[int, Tensor] = {}
        for part in module.modules():
            parameters = part.named_parameters(recurse=False, remove_duplicate=False)
            buffers = part.named_buffers(recurse=False, remove_duplicate=False)
            for name, tensor in [*parameters, *buffers]:
                if tensor.is_meta and id(tensor) not in replaced:
                    real = self._real(tensor)
                    if isinstance(tensor, nn.Parameter):
                        real = nn.Parameter(real, requires_grad=tensor.requires_grad)
                    replaced[id(tensor)] = real
                if tensor.is_meta:
                    setattr(part, name, replaced[id(tensor)])


def _is_meta(value: object) -> bool:
    return isinstance(value, Tensor) and value.device.type == "meta"
