"""Which architectures should I try?"""
