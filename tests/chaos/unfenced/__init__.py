"""The engine without its fence, to show that the oracle would notice."""
