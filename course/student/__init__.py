"""What a student meets: checks, the edition with blanks, borrowing, progress."""
