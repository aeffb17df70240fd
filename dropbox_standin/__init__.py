"""A Dropbox of one's own: the v2 wire format over HTTP, on loopback, for tests, demo and benchmarks.

Start it with `python -m dropbox_standin --port 0`, or from Python with `dropbox_standin.process.running()`. The README in
this folder has the control API and the list of what is assumed about the real service.
"""
