"""A site that has user views of its own, to be composed with."""
