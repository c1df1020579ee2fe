"""A study's files go in; which fits, tables, figures and pages there are, and their files, come
out: `load` makes the one object that the rule files ask.

Imports the lists of `genotypes`, `contacts`, `cohort` and `models`; only rules, scripts and
`simulation` import it. It knows nothing of Snakemake, whose wildcards are objects with attributes
here. Nothing heavy is loaded: the Snakefile's parse reads it.
"""

from soyfold.common.lazy import hand_on

__getattr__, __all__ = hand_on(__name__, load="loading")
