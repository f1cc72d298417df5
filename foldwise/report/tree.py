"""HTML as a tree of elements: the serialiser of the standard library escapes what is in it."""

from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from foldwise.report.visible import visible

Child: TypeAlias = "Element | str"


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """Return an element; text is shown as it is, but for what `visible` says.

    Args:
        tag: Its name.
        children: Elements and plain text, in order.
        attributes: By name; `class_` is class, `aria_label` is aria-label.
    """
    made = Element(tag)
    for name, value in attributes.items():
        made.set(name.rstrip("_").replace("_", "-"), visible(value))
    for at, child in enumerate(children):
        if isinstance(child, str):
            before, after = " " * child.startswith(" "), " " * child.endswith(" ")
            last = at == len(children) - 1
            _append(made, f"{before if at else ''}{visible(child)}{'' if last else after}")
        else:
            made.append(child)
    return made


def verbatim(tag: str, text: str, **attributes: str) -> Element:
    """Return an element with text that already is as it should be, line ends included."""
    made = element(tag, **attributes)
    made.text = text
    return made


def as_html(root: Element) -> str:
    """Return the page of an `html` element."""
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _append(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text
