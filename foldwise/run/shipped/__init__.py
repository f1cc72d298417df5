"""Code that Ray sends to its workers by value, so that they need no Foldwise of their own.

The code that trains there is the snapshot's; hence nothing else of Foldwise is imported here.
"""
