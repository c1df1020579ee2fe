"""soyfold: trait prediction from SNPs, and whether the 3D genome helps.

A package a storey, in the order of the road: genotypes, imputation, contacts, cohort, training
(with models and attention), evaluation, interpretation, prediction, report. `study` says which fits
and pages there are; nothing here knows of Snakemake.
"""

__version__ = "0.2.0"
