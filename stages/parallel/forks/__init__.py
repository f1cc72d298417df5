"""Jobs that share what takes long to load: a process loads it, and forks for each of them."""
