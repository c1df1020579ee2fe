"""Which of our models the paper's tables 1 to 3 print, where their label doesn't say it."""

# The paper's CSAFM equals the row CIM+GAU of its Table 4 to the digit, and has the parameters of a
# gate and a gated FFN. What it calls CIM there, our csafm, stands in Table 4 alone.
PRINTED_AS = {"csafm": None, "csafm_gau": "CSAFM"}
