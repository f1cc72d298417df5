"""Images: sources, decoding, folds, augmentation and random streams."""
