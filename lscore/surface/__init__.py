"""Whole surfaces, or the whole of a small one."""
