"""What a sentence is read through: roles, n-grams, counts and TF-IDF."""
