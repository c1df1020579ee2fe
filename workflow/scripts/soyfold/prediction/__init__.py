"""Final fits and a file of untested lines go in; aligned, filled and predicted lines come out.

Imports `cohort`, `imputation`, `genotypes`, `models`, `training` and `evaluation`."""

from soyfold.common.lazy import hand_on

__getattr__, __all__ = hand_on(__name__, load_model="saved_models", predict_file="from_file")
