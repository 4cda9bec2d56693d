"""What a file calls its codecs, where FFmpeg knows none of them."""
import mmap
import re
from typing import IO, List

# In MP4 and MOV, AVI, and Matroska.
_TAG = re.compile(
    rb'stsd.{12}(?P<mov>[\x20-\x7e]{4})|vids(?P<avi>[\x20-\x7e]{4})'
    rb'|(?P<mkv>V_[A-Z0-9/_]{2,})', re.DOTALL)


def codec_tags(file: IO[bytes]) -> List[str]:
    """The names of codecs in a video file, without decoding it.

    Args:
        file (IO[bytes]): Open, with a file descriptor.

    Returns:
        list[str]: In their order, each once; of sound too, if that is how the
        container keeps them. Empty if nothing is found.
    """
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            tags = [
                match.group(match.lastgroup).decode('ascii').strip()
                for match in _TAG.finditer(content)
            ]
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(tags))
