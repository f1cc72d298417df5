"""Speed of Foldwise compared with alternatives; run it with `make bench`."""
