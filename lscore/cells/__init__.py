"""The partition of parameter space: patterns, rays, forms, incident cells."""
