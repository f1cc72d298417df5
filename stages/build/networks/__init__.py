"""One architecture a module: a TITLE, and build(), which makes it for the data at hand."""
