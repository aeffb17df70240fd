"""Lets the first try of some work hang in C code, for the measurement of the hard time limit."""
