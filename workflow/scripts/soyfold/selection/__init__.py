"""SNP effects and candidates go in; an index, lines to advance and crosses to make come out.

Imports `prediction`, `evaluation` and `models`."""
