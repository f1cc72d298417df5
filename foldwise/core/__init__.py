"""Errors, atomic files, code fingerprints and processes; imports nothing else of Foldwise."""
