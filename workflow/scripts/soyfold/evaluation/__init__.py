"""Predictions of fits go in; scores, intervals, paired comparisons, controls and the paper's tables
come out.

Imports the outputs of `training`.
"""
