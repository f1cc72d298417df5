"""The source that prepare.dataset names."""

from stages.prepare.source import Source
from stages.prepare.sources.digits import open_digits
from stages.prepare.sources.folder import open_folder


def open_source(name: str, root: str) -> Source:
    """Open a data set of the catalogue without decoding an image.

    Args:
        name: digits, folder, or the name of a torchvision data set.
        root: Folder of the files; digits needs none.

    Raises:
        InputError: If the files are not there or not laid out as they should be.
    """
    if name == "digits":
        return open_digits()
    if name == "folder":
        return open_folder(root)
    # Here, since importing torchvision takes 3 to 7 seconds that the other sources need not pay.
    from stages.prepare.sources.torchvision_set import open_torchvision

    return open_torchvision(name, root)
