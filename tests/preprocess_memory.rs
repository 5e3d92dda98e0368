//! Preparing a picture takes little memory beside the picture itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use digit_recognizer::{Picture, preprocess};

/// The system's allocator, how many bytes are in use, and the most that were.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator is unsafe by its interface")]
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let in_use = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(in_use, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, because another one's thread would be counted too.
#[test]
fn memory_is_six_times_a_row_and_4_mib() {
    let mut most_beside = 0;
    for (width, height) in [(280, 280), (1_000, 1_000), (2_500, 1_500), (100_000, 30), (1, 200_000)]
    {
        // Strokes, light that changes, grain, and a line.
        let gray: Vec<u8> = (0..width * height)
            .map(|i: usize| {
                let (x, y) = (i % width * 280 / width, i / width * 280 / height);
                let ink = (x / 20) % 5 == 2 && (40..240).contains(&y) || y == 100;
                let grain = i.wrapping_mul(2_654_435) >> 16;
                if ink { 40 } else { (150 + x / 4 + grain % 9) as u8 }
            })
            .collect();
        let picture = Picture::from_gray8(width, height, &gray).expect("a value a pixel");
        let before = IN_USE.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        // An image or no ink: both are answers.
        let answer = preprocess(&picture);
        let used = MOST.load(Ordering::Relaxed) - before;
        drop(answer);
        let allowed = 6 * 4 * width + (4 << 20);
        assert!(used <= allowed, "{width} x {height}: {used} bytes, {allowed} allowed");
        most_beside = most_beside.max(used.saturating_sub(6 * 4 * width));
    }
    // The bound is not a wild guess.
    assert!(most_beside > (1 << 19), "{most_beside}");
}
