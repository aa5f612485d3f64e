"""What people look at: the parts of a release as values that a page is made of."""
