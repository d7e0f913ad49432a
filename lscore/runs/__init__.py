"""Trajectories: descent, flows through cells, many trials at once, crash-safe sweeps."""
