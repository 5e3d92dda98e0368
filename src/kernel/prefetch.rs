//! Asking for memory before it is needed.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Tells the processor that these items will be read soon, where it cannot guess it.
#[inline(always)]
pub(crate) fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in items.chunks(LINE / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction; it changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}

/// The same of some slices that are as long as each other: a line of each at once, because the
/// processor looks up their pages side by side, but waits for each that it is asked for alone.
#[inline(always)]
pub(crate) fn prefetch_each(slices: &[&[u8]]) {
    let bytes = 0..slices.first().map_or(0, |slice| slice.len());
    // A slice that does not begin with a line has a part of one more.
    for first in bytes.clone().step_by(LINE).chain(bytes.last()) {
        slices.iter().for_each(|slice| prefetch(&slice[first..=first]));
    }
}
