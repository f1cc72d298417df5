"""How is the comparison shown?"""
