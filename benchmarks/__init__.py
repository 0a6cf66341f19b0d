"""minigrad beside PyTorch, one table each. PyTorch is optional: pip install torch==2.13.0."""
