"""What the model stands on: memory, threads, drawings, blanks. Nothing here knows a lesson."""
