//! Preparing a picture takes little memory beside the picture itself.

mod memory;

use digit_recognizer::{Picture, preprocess};
use memory::most;

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
        // An image or no ink: both are answers.
        let (_, used) = most(|| preprocess(&picture));
        let allowed = 6 * 4 * width + (4 << 20);
        assert!(used <= allowed, "{width} x {height}: {used} bytes, {allowed} allowed");
        most_beside = most_beside.max(used.saturating_sub(6 * 4 * width));
    }
    // The bound is not a wild guess.
    assert!(most_beside > (1 << 19), "{most_beside}");
}
