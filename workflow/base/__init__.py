"""What the stages share: files, the plan of a grid, records and their digests, settings."""
