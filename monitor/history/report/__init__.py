"""The report of a day, some days or the whole event, as one HTML file that needs nothing else."""
