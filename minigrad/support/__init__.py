"""What the model uses: memory, threads, tiles, settings, drawings, blanks. No lesson's code."""
