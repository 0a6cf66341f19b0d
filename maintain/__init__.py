"""Scripts that measure nothing: the pages that are generated, the pictures, the shipped model."""
