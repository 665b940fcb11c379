"""
A frame that is made here once and sent to all is one that a client's library reads.
"""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from kavach.api.feed.socket import binary_frame

# RFC 6455, section 5.2: the length in 7 bits, in 16, in 64, and the edges between them.
SIZES = [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 70_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_of_any_size_is_read_whole(size: int) -> None:
    """It is one whole binary message of just these bytes, in the shortest form."""
    payload = bytes(n % 251 for n in range(size))
    reader = StreamReader()
    reader.feed_data(binary_frame(payload))
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame = done.value.value
    assert (frame.opcode, frame.fin, frame.data) == (Opcode.BINARY, True, payload)
    assert len(binary_frame(payload)) == len(frame.serialize(mask=False))
    assert next(reader.at_eof(), None) is None
