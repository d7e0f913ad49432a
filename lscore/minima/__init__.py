"""Is this point a minimum, and what leads away from it?"""
