"""What direct models share that choose nothing by validation lines."""

DECLARATION = {
    "meaning": "Direct models that choose nothing by validation",
    "parameters": {
        "train_on": {"default": ["train", "val"], "type": "array",
                     "items": {"enum": ["train", "val"]}, "minItems": 1, "uniqueItems": True,
                     "description": "Parts that the model is fitted on: REML and samplers need no "
                                    "validation lines."},
    },
}  # fmt: skip
