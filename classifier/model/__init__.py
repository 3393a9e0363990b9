"""The trained model: probabilities, labels, explanations; loaded from a directory of plain data."""
