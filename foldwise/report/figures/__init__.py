"""The figures of the report, one per module."""
