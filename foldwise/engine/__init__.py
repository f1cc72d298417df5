"""Training: batches on the device, the trainer, scores and features of frozen layers.

>>> from foldwise.engine import HardwareSection, choose_hardware
>>> hardware = choose_hardware(HardwareSection(precision="float32", device="cpu", threads=1))
>>> hardware.device.type, hardware.precision
('cpu', 'float32')
"""

from foldwise.core.exports import lazy_exports

__getattr__, __all__ = lazy_exports(
    {
        "foldwise.engine.hardware": "Hardware choose_hardware set_up",
        "foldwise.engine.training": "open_fold train_fold",
        "foldwise.files.features": "Features",
        "foldwise.files.params": "AugmentSection HardwareSection TrainSection",
    }
)
