"""From VCF, PLINK, HapMap or marker tables to one filtered PLINK bed, with every loss counted.

Imports `common` alone."""
