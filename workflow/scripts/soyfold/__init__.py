"""soyfold: trait prediction from SNPs, and whether the 3D genome helps.

The package knows nothing of Snakemake. One module per stage word; see the README.
"""

__version__ = "0.1.0"
