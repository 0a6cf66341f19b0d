"""What teaches nothing about the subject: arguments, files, signals, threads, pictures."""
