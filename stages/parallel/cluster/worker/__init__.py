"""What a worker of a Ray cluster does with one stage."""
