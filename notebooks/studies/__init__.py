"""Studies of the corpus and the method, for the notebooks and the datasheet; not part of the package."""
