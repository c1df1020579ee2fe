"""A cohort, a split and a model go in; predictions, history, attention, cost and a checkpoint come
out.

Imports `models`, and the statistics of `attention`.
"""
