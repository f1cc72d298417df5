"""Before training: how long a comparison takes, and which architectures to try."""
