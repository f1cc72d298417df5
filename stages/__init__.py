"""The stages of dvc.yaml, one file each: read files, call the library, write files."""
