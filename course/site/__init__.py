"""The course as a web site: pages for Sphinx from the notebooks as they are stored, and a PDF."""
