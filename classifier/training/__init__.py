"""From a labeled corpus to a model, measured by nested cross-validation."""
