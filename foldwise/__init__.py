"""Foldwise: choose an image-classification architecture by cross-validation."""
