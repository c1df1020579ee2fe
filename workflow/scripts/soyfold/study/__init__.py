"""A study's files go in; which fits, tables, figures and pages there are, and their files, come
out.

Imports the lists of `genotypes`, `contacts`, `cohort` and `models`; only rules, scripts and
`simulation` import it. Nothing heavy is loaded: the Snakefile's parse reads it.
"""
