"""The process that student code runs in, and the walls around it."""
