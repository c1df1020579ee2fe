"""What all networks share: the parameters of their training, and what it is cited by."""

DECLARATION = {
    "meaning": "All networks",
    "weights": True,
    "parameters": {
        "learning_rate": {"default": 1e-4, "type": "number", "exclusiveMinimum": 0,
                          "description": "AdamW's, after the warm-up."},
        "betas": {"default": [0.9, 0.999], "type": "array",
                  "items": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                  "minItems": 2, "maxItems": 2,
                  "description": "AdamW's decay rates of the gradient's moments."},
        "weight_decay": {"default": 0.01, "type": "number", "minimum": 0,
                         "description": "AdamW's; none on biases, norms, positions, H and M."},
        "clip": {"default": 1.0, "type": "number", "minimum": 0,
                 "description": "Largest norm of the gradient; 0 for no clipping."},
        "batch_size": {"default": 32, "type": "integer", "minimum": 1,
                       "description": "Lines in memory at a time."},
        "accumulate": {"default": 1, "type": "integer", "minimum": 1,
                       "description": "Batches whose gradients make one step."},
        "epochs": {"default": 100, "type": "integer", "minimum": 1, "description": "At most."},
        "warmup_epochs": {"default": 0, "type": "integer", "minimum": 0,
                          "description": "Epochs over which the learning rate rises."},
        "schedule": {"default": "constant", "enum": ["constant", "cosine"],
                     "description": "The learning rate's, after the warm-up."},
        "patience": {"default": 10, "type": "integer", "minimum": 1,
                     "description": "Epochs without a better validation loss that end the fit."},
        "independent_loci": {"default": None, "type": ["number", "null"], "exclusiveMinimum": 0,
                             "exclusiveMaximum": 1,
                             "description": "Along each chromosome, leave out SNPs correlated "
                                            "beyond this |r| with one before that is kept, as the "
                                            "training lines tell it; null for none. `estimates` "
                                            "count both."},
        "snp_dropout": {"default": 0.0, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                        "description": "Share of a line's dosages set to the SNP's mean in "
                                       "training."},
        "mixup": {"default": 0.0, "type": "number", "minimum": 0,
                  "description": "a of the Beta(a, a) by which two lines are mixed; 0 for none."},
        "ema": {"default": 0.0, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                "description": "Decay of an average of the weights over steps, corrected for its "
                               "start, which is judged and kept in their place; 0 for none."},
        "refit": {"default": False, "type": "boolean",
                  "description": "Once validation has chosen an epoch, train anew on train + val "
                                 "up to it, from the same initialisation and on the same schedule; "
                                 "`held_out` stays the first fit's, `chosen_epochs` tells the "
                                 "epoch."},
        "members": {"default": 1, "type": "integer", "minimum": 1,
                    "description": "Initialisations of an ensemble."},
        "precision": {"default": "32-true", "enum": ["32-true", "bf16-mixed"],
                      "description": "Of the numbers in training."},
        "loss": {"default": "auto", "enum": ["auto", "squared"],
                 "description": "Of binary and ordinal traits cross-entropy, of others squared "
                                "error; or squared error of all."},
        "compile": {"default": False, "type": "boolean",
                    "description": "torch.compile, which needs a C++ compiler."},
    },
    "citations": [
        {"what": "networks",
         "citation": "Paszke A et al. (2019) PyTorch: an imperative style, high-performance deep "
                     "learning library. NeurIPS 32"},
        {"what": "optimiser",
         "citation": "Loshchilov I, Hutter F (2019) Decoupled weight decay regularization. ICLR "
                     "2019"},
    ],
}  # fmt: skip
