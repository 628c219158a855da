"""Work in a process of its own, for a program that has a window to draw meanwhile.

Python runs one thread at a time: a simulation in another thread takes its turns between the many
short calls of a picture, and both become slow. A process has an interpreter to itself.
"""
