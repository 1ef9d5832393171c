"""How many bytes a server keeps to be fast.

All of its processes together have this room, and each has its part (``grade.divide_room``).
"""

from __future__ import annotations

from typing import Final

from grader.caches.byte_cache import MIB

# Some 0.2 MB each for the lecture's network, half of which is the instance, which the store keeps too. It takes 2 ms
# to make one again, which is most of what a right step costs. There is room for 500.
STUDENT_REFERENCES_BYTES: Final = 96 * MIB
# Of each process, which has room for twice the hidden pool. Those of a GPT block take 0.9 MB: half of its pool.
HIDDEN_REFERENCES_BYTES: Final = 32 * MIB
# Some 1.8 MB each, and 9 of a GPT block. In an evening of 300 students hardly one finds theirs still there, with room
# for 26 or for 13. But threads that grade at once must have theirs: two with one place make theirs again and again.
DISSECTIONS_BYTES: Final = 48 * MIB
EXPLAINED_BYTES: Final = 8 * MIB  # some 700 answers: they come again soon, as a cell that is run again, or never
INSTANCES_BYTES: Final = 64 * MIB  # some 700 of the lecture's network
