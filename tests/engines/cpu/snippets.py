"""Small functions in LLVM's text that the tests run."""

import ctypes

import numpy as np

# The second word of the block counts.
COUNT = """
define void @job(ptr %block) nounwind {
  %at = getelementptr i64, ptr %block, i64 1
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  store i64 %new, ptr %at
  ret void
}
"""

# Words: the function, my flag's address, the other's, how often to look, whether it was seen.
MEET = """
define void @job(ptr %block) nounwind {
entry:
  %at1 = getelementptr i64, ptr %block, i64 1
  %mine = load ptr, ptr %at1
  %at2 = getelementptr i64, ptr %block, i64 2
  %other = load ptr, ptr %at2
  %at3 = getelementptr i64, ptr %block, i64 3
  %most = load i64, ptr %at3
  store atomic i64 1, ptr %mine seq_cst, align 8
  br label %look
look:
  %k = phi i64 [ 0, %entry ], [ %next, %look ]
  %seen = load atomic i64, ptr %other seq_cst, align 8
  %next = add i64 %k, 1
  %found = icmp ne i64 %seen, 0
  %late = icmp sge i64 %next, %most
  %done = or i1 %found, %late
  br i1 %done, label %leave, label %look
leave:
  %at4 = getelementptr i64, ptr %block, i64 4
  store i64 %seen, ptr %at4
  ret void
}
"""

# The second word of the block holds a float, which is doubled.
DOUBLE = """
define void @job(ptr %block) nounwind {
  %at = getelementptr i64, ptr %block, i64 1
  %old = load float, ptr %at
  %new = fmul float %old, 2.0
  store float %new, ptr %at
  ret void
}
"""

LIBM = """
declare float @expf(float)
declare float @sinf(float)
declare float @llvm.log.f32(float)

define float @all(float %x) {
  %a = call float @expf(float %x)
  %b = call float @sinf(float %a)
  %c = call float @llvm.log.f32(float %x)
  %d = fadd float %b, %c
  ret float %d
}
"""


def answer(value):
    """A function `f` that returns a number."""
    return f"define i64 @f() {{\n  ret i64 {value}\n}}\n"


def returned(library):
    """Call `f`."""
    return ctypes.CFUNCTYPE(ctypes.c_int64)(library.address("f"))()


def blocks(library, count, words=2):
    """Blocks for `count` jobs, and their addresses."""
    table = np.zeros((count, words), np.int64)
    table[:, 0] = library.address("job")
    return table, [row.ctypes.data for row in table]
