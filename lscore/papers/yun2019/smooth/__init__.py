"""Theorem 2 of Yun, Sra and Jadbabaie (2019): smooth activations."""
