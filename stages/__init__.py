"""Foldwise's pipeline: a package for each stage of dvc.yaml, and the formats between them."""
