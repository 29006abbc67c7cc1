"""The past: sums by minute and hour, days as they stood, files and reports, and what is kept for how long."""
