"""Breaking everything on purpose, and an oracle that tells whether anything was lost, repeated or mixed up."""
