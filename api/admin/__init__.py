"""The pages of the console for what has to do with the interface for programs."""
