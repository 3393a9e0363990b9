"""Shares that can be published: probability samples, and shares corrected by their labels, with valid intervals."""
