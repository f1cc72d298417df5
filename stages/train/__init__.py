"""How does one architecture do on one fold?"""
