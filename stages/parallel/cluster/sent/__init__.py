"""What Ray sends to its workers by value, so that they need no Foldwise of their own.

The code that trains there is the snapshot's; hence nothing of Foldwise is imported here but this.
"""
