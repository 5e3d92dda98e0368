//! Parting the pen's ink from what is printed.

use crate::preprocess::components;
use crate::preprocess::grid::{Mask, Plane, quantile};
use crate::preprocess::lines::Lines;
use crate::preprocess::threshold::{Level, hysteresis};

/// Of the digit's pixels, those with more contrast than this share are in the middle
/// of its strokes.
const MIDDLE: f32 = 0.75;

/// The ink without lines, and that of the digit.
pub(super) fn separated(
    candidates: &Mask,
    lines: &Lines,
    contrast: &Plane,
    level: Level,
) -> (Mask, Mask) {
    let ink = |candidates: &Mask| {
        let mask = hysteresis(candidates, contrast, level);
        let digit = components::digit(&mask, contrast);
        (mask, digit)
    };
    let erased = ink(&lines.erased(candidates));
    if lines.is_empty() {
        return erased;
    }
    let found = darker(candidates, lines, contrast, &erased.1).unwrap_or(erased);
    // Where nothing is left, it was the digit that looked like a line.
    if found.1.values.contains(&true) { found } else { ink(candidates) }
}

/// The ink that is darker than the lines, if the digit is: then strokes along a line,
/// and those that it crosses, are whole. Lines as dark as the digit are erased.
///
/// # Source
/// The threshold half-way between two levels: Ridler, Calvard, *Picture thresholding
/// using an iterative selection method* (IEEE Transactions on Systems, Man, and
/// Cybernetics, 1978).
fn darker(
    candidates: &Mask,
    lines: &Lines,
    contrast: &Plane,
    digit: &Mask,
) -> Option<(Mask, Mask)> {
    let inked = digit.values.iter().zip(&contrast.values).filter(|(ink, _)| **ink);
    let pen = quantile(&mut inked.map(|(_, &contrast)| contrast).collect::<Vec<_>>(), MIDDLE);
    let (fainter, others) = lines.parted(pen, contrast);
    let least = 0.5 * (pen + fainter?);
    let mut mask = candidates.clone();
    mask.values.iter_mut().zip(&contrast.values).for_each(|(ink, &value)| *ink &= value >= least);
    let mask = others.erased(&mask);
    let digit = components::digit(&mask, contrast);
    digit.values.contains(&true).then_some((mask, digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::threshold::candidates;

    /// A stroke as thin as the lines of squared paper, along one of them and on.
    fn paper(line: f32) -> (Plane, Mask) {
        let mut contrast = Plane::filled(120, 120, 0.0);
        let mut pen = Mask::filled(120, 120, false);
        for (x, y) in (0..120).flat_map(|y| (0..120).map(move |x| (x, y))) {
            if x % 30 < 2 || y % 30 < 2 {
                contrast.set(x, y, line);
            }
            if ((30..32).contains(&y) && (40..70).contains(&x))
                || ((70..72).contains(&x) && (30..80).contains(&y))
            {
                pen.set(x, y, true);
                contrast.set(x, y, 0.8);
            }
        }
        (contrast, pen)
    }

    #[test]
    fn a_stroke_along_a_fainter_line_is_whole() {
        let level = Level { ink: 0.7, noise: 0.0 };
        for line in [0.2, 0.3, 0.5] {
            let (contrast, pen) = paper(line);
            let ink = candidates(&contrast, level);
            let lines = Lines::find(&ink, &ink);
            assert_eq!(separated(&ink, &lines, &contrast, level).1, pen, "{line}");
        }
        // A line as dark hides what is along it, and its other lines go.
        let (contrast, pen) = paper(0.7);
        let ink = candidates(&contrast, level);
        let digit = separated(&ink, &Lines::find(&ink, &ink), &contrast, level).1;
        assert!(digit.count() < pen.count() && digit.count() > pen.count() / 2);
    }

    #[test]
    fn dark_lines_go_beside_faint_ones() {
        let (mut contrast, pen) = paper(0.3);
        (0..120).for_each(|x| contrast.set(x, 105, 0.75));
        let level = Level { ink: 0.7, noise: 0.0 };
        let ink = candidates(&contrast, level);
        assert_eq!(separated(&ink, &Lines::find(&ink, &ink), &contrast, level).0, pen);
    }
}
