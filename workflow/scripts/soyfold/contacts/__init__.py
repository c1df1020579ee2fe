"""Hi-C: libraries of any format -> coolers on one grid -> merged, balanced -> chromosome sums."""

from soyfold.contacts.sums import sum_by_chromosome

__all__ = ["sum_by_chromosome"]
