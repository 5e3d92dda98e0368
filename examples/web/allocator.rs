//! Memory that is freed and needed again.

use std::hint::black_box;

/// Larger than the pixels of a picture that is read quickly.
const BLOCK: usize = 8 << 20;

/// Lets glibc's allocator keep freed memory for the next picture.
///
/// At first it takes blocks from 128 KiB on from the system and gives them back, which
/// was a seventh of the time of a request. Whenever such a block is freed it takes the
/// next of that size from memory that it has, and keeps up to twice as much: see
/// `M_MMAP_THRESHOLD` in mallopt(3). Other allocators see one block come and go.
pub(crate) fn keep_freed_memory() {
    drop(black_box(Vec::<u8>::with_capacity(BLOCK)));
}
