"""Phenotypes and genotypes go in; values by line, the join with all it lost, the dosage matrix,
clusters and splits come out.

Imports `genotypes`.
"""
