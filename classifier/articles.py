"""Articles and their readers."""
