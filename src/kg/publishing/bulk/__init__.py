"""Many articles or dumps published at once: the road in, by several processes, resumable."""
