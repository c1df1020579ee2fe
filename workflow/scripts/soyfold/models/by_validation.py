"""What direct models share that choose by validation lines."""

DECLARATION = {
    "meaning": "Direct models that choose by validation",
    "parameters": {
        "refit": {"default": True, "type": "boolean",
                  "description": "After the choice, fit on train + val."},
    },
}  # fmt: skip
