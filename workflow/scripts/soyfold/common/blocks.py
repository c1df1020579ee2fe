"""Walks over large matrices that are made floating a block at a time."""

BLOCK = 2048  # rows or columns


def blocks(size):
    """Slices that cover range(size), BLOCK at a time."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))
