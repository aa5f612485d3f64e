"""Releases on disk, the engine that reads and writes them, and the workers that query them."""
