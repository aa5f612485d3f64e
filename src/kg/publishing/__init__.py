"""The road in: from sources to a release."""
