"""Products of lines, kernels, their decompositions and REML, which GBLUP, RKHS and kin share."""
