"""What every room stands on: files, processes, compilation, and names for kinds of arrays."""
