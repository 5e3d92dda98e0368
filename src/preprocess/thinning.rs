//! The middle lines of strokes.

use crate::preprocess::grid::Mask;

/// A mask's skeleton: lines one pixel wide, connected as the mask is; of a round
/// blob nothing may be left.
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
    // One side of the pair in turn is open, or both of the other pair are.
    let is_open = if second {
        !north || !west || !(east || south)
    } else {
        !east || !south || !(north || west)
    };
    (2..=6).contains(&count) && starts == 1 && is_open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::drawn;
    use crate::preprocess::labels::{Connectivity, label};

    #[test]
    fn a_bar_becomes_its_middle_line() {
        let bar = drawn(&["..........", ".########.", ".########.", ".########.", ".........."]);
        let thin = skeleton(&bar);
        let rows: Vec<usize> =
            (0..5).map(|y| thin.row(y).iter().filter(|ink| **ink).count()).collect();
        assert_eq!((rows[0], rows[1], rows[3], rows[4]), (0, 0, 0, 0));
        assert!((5..=8).contains(&rows[2]), "{rows:?}");
    }

    #[test]
    fn rings_stay_rings_and_parts_stay_apart() {
        for inner in [1.5, 2.5, 4.0, 6.0] {
            let mut mask = Mask::filled(44, 22, false);
            for centre in [10.5, 32.5] {
                for at in 0..44 * 22 {
                    let (x, y) = ((at % 44) as f32 - centre, (at / 44) as f32 - 10.5);
                    let radius = (x * x + y * y).sqrt();
                    mask.values[at] |= radius < 8.0 && radius >= inner;
                }
            }
            let thin = skeleton(&mask);
            assert_eq!(label(&thin, Connectivity::Eight).count, 2, "hole of {inner}");
            assert!(thin.values.iter().zip(&mask.values).all(|(thin, ink)| !thin || *ink));
            // A line without ends that has a hole in it is a ring.
            for at in (0..thin.values.len()).filter(|&at| thin.values[at]) {
                let near = [1, 43, 44, 45].map(|step| [at - step, at + step]);
                let neighbours = near.as_flattened().iter().filter(|&&at| thin.values[at]).count();
                assert!(neighbours >= 2, "hole of {inner}: an end at {at}");
            }
        }
    }
}
