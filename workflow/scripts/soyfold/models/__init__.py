"""The models, one module each; the registry imports them by name."""
