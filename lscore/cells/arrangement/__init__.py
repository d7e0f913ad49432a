"""All activation patterns of one unit: hyperplanes, signs, vertices, cells."""
