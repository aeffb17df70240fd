"""The index: what lies in a root, compared with its rows, and what follows from that. It knows no machine and no page."""
