"""Marks for a class: submissions, judging, the table and the pages."""
