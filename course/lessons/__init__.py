"""The lessons as files: notebooks, their exports, their exercises, the cells that were run."""
