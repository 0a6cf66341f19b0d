"""Helpers of the exported modules: memory, threads, tiles, settings, drawings, blanks."""
