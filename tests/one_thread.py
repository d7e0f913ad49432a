"""Tests in parallel: each worker, and each kernel that it starts, computes with one thread.

Two processes with as many threads as there are cores wait for each other at every small operation:
a notebook that takes 7 seconds alone took 118.
"""

import os

import torch


def in_workers():
    """One thread for this process and those that it starts, if it is a worker and none is asked."""
    if "PYTEST_XDIST_WORKER" in os.environ and "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)
