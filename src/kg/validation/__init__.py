"""What the shapes say of a graph."""
