"""Compile the inner loops ahead of the first run, which would wait for them."""

from simcore.remote.ready import get_ready

if __name__ == "__main__":
    get_ready()
