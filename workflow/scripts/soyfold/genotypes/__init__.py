"""Genotypes."""
