"""Where images come from: a module per kind of source."""
