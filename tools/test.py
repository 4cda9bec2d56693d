"""mmtrack's `tools/test.py`, with siamattn_mm imported first. Same flags."""
from _mmtrack_entry import run

if __name__ == '__main__':
    run('test')
