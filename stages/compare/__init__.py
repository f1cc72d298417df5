"""Which architecture, and how sure?"""
