"""Imputation."""
