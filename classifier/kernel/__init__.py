"""The compiled path: the numbers of the plain path, bit for bit, fast."""
