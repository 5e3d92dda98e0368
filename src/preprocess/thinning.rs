//! The middle lines of strokes.

use crate::preprocess::grid::Mask;

/// A mask's skeleton: lines one pixel wide, connected as the mask is.
///
/// # Source
/// Zhang, Suen, *A fast parallel algorithm for thinning digital patterns*
/// (Communications of the ACM, 1984).
pub(super) fn skeleton(mask: &Mask) -> Mask {
    let (width, height) = (mask.width, mask.height);
    let mut result = mask.clone();
    // The border has no eight neighbours, so it is not ink.
    for y in 0..height {
        for x in 0..width {
            if x == 0 || y == 0 || x + 1 >= width || y + 1 >= height {
                result.set(x, y, false);
            }
        }
    }
    let mut inked: Vec<usize> = (0..result.values.len()).filter(|&at| result.values[at]).collect();
    let mut gone = Vec::new();
    loop {
        let before = inked.len();
        for second in [false, true] {
            gone.clear();
            gone.extend(
                inked.iter().copied().filter(|&at| is_outer(&result.values, at, width, second)),
            );
            gone.iter().for_each(|&at| result.values[at] = false);
            if !gone.is_empty() {
                inked.retain(|&at| result.values[at]);
            }
        }
        if inked.len() == before {
            return result;
        }
    }
}

/// Whether a pixel can go without breaking the stroke or shortening its end; the
/// first half of a step takes from the south-east, the second from the north-west.
fn is_outer(ink: &[bool], at: usize, width: usize, second: bool) -> bool {
    // North, then clockwise: P2 to P9.
    let p = [
        ink[at - width],
        ink[at - width + 1],
        ink[at + 1],
        ink[at + width + 1],
        ink[at + width],
        ink[at + width - 1],
        ink[at - 1],
        ink[at - width - 1],
    ];
    let count = p.iter().filter(|ink| **ink).count();
    let starts = (0..8).filter(|&i| !p[i] && p[(i + 1) % 8]).count();
    let [north, _, east, _, south, _, west, _] = p;
    let side = if second {
        !(north && east && west) && !(north && south && west)
    } else {
        !(north && east && south) && !(east && south && west)
    };
    (2..=6).contains(&count) && starts == 1 && side
}
