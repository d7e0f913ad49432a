"""Theorem 1 of Yun, Sra and Jadbabaie (2019): two-piece activations."""
