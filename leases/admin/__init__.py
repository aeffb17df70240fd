"""The pages of the console for the records."""
