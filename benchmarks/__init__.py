"""How fast is it, beside what one would otherwise write? No stage: `make bench` asks it."""
