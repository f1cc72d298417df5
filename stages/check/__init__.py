"""Is params.yaml sound, and which code counts for what reruns?"""
