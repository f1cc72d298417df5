"""What is wrong in the section of an architecture, beyond the types of its values."""

import re
from collections.abc import Iterator, Mapping

from stages.build.catalogue import TAKE_WEIGHTS, expectation, is_known
from stages.build.section import ArchitectureSection
from stages.contracts.layers import REFERENCE, Take
from stages.contracts.origin import HTTPS, Origin

SLUG = r"[A-Za-z0-9_]+"

Key = tuple[str | int, ...]  # below the section; () for its name
Problem = tuple[Key, str]  # where, and what is expected there
Sections = Mapping[str, ArchitectureSection]

UNKNOWING = "weights: what is frozen must know something"


def problems(model: str, section: ArchitectureSection, sections: Sections) -> Iterator[Problem]:
    """Yield what is wrong with one section.

    Args:
        model: Its name.
        section: What it sets.
        sections: All of them.
    """
    yield from _identity(model, section, sections)
    for place, origin in _origins(section):
        yield from ((place + key, expected) for key, expected in _weights(origin))
    if model in TAKE_WEIGHTS and section.weights is None:
        yield ("weights",), f"the weights that {model} starts from"
    yield from _policy(section)
    yield from _frozen(section)
    for index, layer in enumerate(section.layers or []):
        if isinstance(layer, Take):
            name = str(REFERENCE.fullmatch(layer.take)[1])  # type: ignore[index]
            if not is_known(name) and not getattr(sections.get(name), "file", None):
                yield ("layers", index, "take"), f"a module, after {expectation(name, sections)}"


def _identity(model: str, section: ArchitectureSection, sections: Sections) -> Iterator[Problem]:
    given = [key for key in ("base", "file", "layers") if getattr(section, key) is not None]
    if not re.fullmatch(SLUG, model, re.ASCII):
        yield (), f"{expectation(model, sections)}; letters, digits and underscores only"
    elif not given and not is_known(model):
        yield (), f"{expectation(model)} (a new one needs base, file or layers)"
    elif given and is_known(model):
        yield (given[0],), f"null, or another name for the section: {model} is known already"
    elif len(given) > 1:
        yield (given[1],), f"null: {given[0]} says already what {model} is"
    if section.base is not None:
        defined = [name for name, one in sections.items() if one.file or one.layers]
        if not is_known(section.base) and section.base not in defined:
            yield ("base",), expectation(section.base, defined)
        elif any(take.weights for take in sections.get(section.base, section).takes):
            yield ("base",), "one without weights in its layers; write those layers out here"


def _origins(section: ArchitectureSection) -> Iterator[tuple[Key, Origin]]:
    yield (), section
    for index, layer in enumerate(section.layers or []):
        if isinstance(layer, Take):
            yield ("layers", index), layer


def _weights(origin: Origin) -> Iterator[Problem]:
    if origin.weights is None and origin.weights_sha256 is not None:
        yield ("weights_sha256",), "null: there are no weights"
    if origin.weights is not None and not origin.is_named and origin.weights_sha256 is None:
        file = "FILE" if origin.weights.startswith(HTTPS) else origin.weights
        yield ("weights_sha256",), f"what 'sha256sum {file}' prints"


def _policy(section: ArchitectureSection) -> Iterator[Problem]:
    if section.policy == "scratch" and section.has_weights:
        yield ("policy",), "finetune or frozen: there are weights"
    elif section.policy == "finetune" and not section.has_weights:
        yield ("policy",), "scratch: there are no weights"
    if section.policy in ("scratch", "finetune") and (section.frozen or section.thaw):
        yield ("policy",), "frozen: some layers are"
    epochs = [thaw.at_epoch for thaw in section.thaw]
    if epochs != sorted(epochs):
        yield ("thaw",), "epochs in ascending order"


def _frozen(section: ArchitectureSection) -> Iterator[Problem]:
    if section.weights is not None and any(take.weights for take in section.takes):
        yield ("weights",), "null: layers have weights of their own"
    if section.is_frozen and not section.has_weights:
        yield ("weights",), UNKNOWING
    for index, layer in enumerate(section.layers or []):
        is_bare = isinstance(layer, Take) and layer.frozen and layer.weights is None
        if is_bare and section.weights is None:
            yield ("layers", index, "weights"), UNKNOWING
