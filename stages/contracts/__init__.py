"""The files that stages hand to each other: a module per format writes, reads and checks it."""
