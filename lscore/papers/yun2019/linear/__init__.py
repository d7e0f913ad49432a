"""Theorem 4 of Yun, Sra and Jadbabaie (2019): deep linear networks."""
