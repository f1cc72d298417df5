"""What does the part of a network that never trains make of the images?"""
