"""A filtered bed goes in, Beagle fills its missing calls chromosome by chromosome, and one bed
without gaps comes out, with the accuracy on masked calls.

Imports `genotypes`.
"""
