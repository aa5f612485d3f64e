"""One question answered: from the text of a query to the bytes of its answer."""
