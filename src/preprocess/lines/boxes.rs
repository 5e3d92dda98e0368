//! Boxes, closed or open, and what is in them.

use super::{Lines, erased};
use crate::preprocess::bounds::Bounds;
use crate::preprocess::components::stroke_width;
use crate::preprocess::grid::Mask;
use crate::preprocess::segments::Segment;
use crate::preprocess::sides::WIDER;

/// A box has at most so many times the ink of what is in it; and so many times if it is
/// not closed and as wide as strokes are: strokes of a digit that look like sides leave
/// little of the digit.
const MOST_OF_BOX: usize = 8;
const MOST_OF_OPEN: usize = 3;

/// Opposite sides of a box are farther from each other.
const APART: f32 = 8.0;

impl Lines {
    /// Whether the lines are around what they leave of the ink, as a box is around a
    /// digit, and not a part of it, as a loop is of a 6.
    pub(super) fn is_around_ink(&self, ink: &Mask) -> bool {
        if self.sides.iter().all(Vec::is_empty) {
            return true;
        }
        let without_lines = erased(ink, &self.through);
        let left = erased(&without_lines, &self.sides);
        let mut lines = ink.clone();
        lines.values.iter_mut().zip(&left.values).for_each(|(ink, left)| *ink &= !left);
        let Some(bounds) = Bounds::of(&lines) else { return false };
        let within = |bounds: Bounds| {
            let points = (0..left.height).flat_map(|y| (0..left.width).map(move |x| (x, y)));
            points.filter(|&(x, y)| bounds.contains(x, y) && left.at(x, y)).count()
        };
        let inside = within(bounds);
        let (all, lines) = (left.count(), without_lines.count() - left.count());
        // A digit may look out of a box that is open above.
        let row = |side: &Segment| side.row_at(side.middle());
        let middle = (bounds.top + bounds.bottom) as f32 / 2.0;
        let [along, _] = &self.sides;
        let is_open = !along.is_empty() && along.iter().all(|side| row(side) > middle);
        let reach = (2 * bounds.top).saturating_sub(bounds.bottom);
        let around = if is_open { within(Bounds { top: reach, ..bounds }) } else { inside };
        let is_closed = self.sides.iter().all(|family| {
            let rows = || family.iter().map(row);
            rows().fold(f32::MIN, f32::max) - rows().fold(f32::MAX, f32::min) > APART
        });
        let thickest = self.sides.iter().flatten().map(|side| side.thickness).max().unwrap_or(0);
        let is_slim = stroke_width(&left) >= WIDER * thickest as f32 + 1.0;
        let most = if is_slim || is_closed { MOST_OF_BOX } else { MOST_OF_OPEN };
        2 * around >= all && most * inside >= lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{filled, found};
    use super::*;

    /// A box from 20 to 80 whose lines are so wide, and a bar in it.
    fn boxed(width: usize, rows: std::ops::Range<usize>, is_open: bool) -> Mask {
        filled(100, |x, y| {
            let side = x.abs_diff(50).max(y.abs_diff(50));
            let top = is_open && y < 20 + width && x.abs_diff(50) + width <= 30;
            ((31 - width..=30).contains(&side) && !top)
                || ((46..52).contains(&x) && rows.contains(&y))
        })
    }

    #[test]
    fn what_is_in_a_box_is_no_speck() {
        for (width, rows, is_open) in
            [(2, 43..57, false), (2, 43..57, true), (4, 38..62, false), (4, 30..70, true)]
        {
            let mask = boxed(width, rows.clone(), is_open);
            let left = found(&mask).erased(&mask).count();
            assert_eq!(left, 6 * rows.len(), "{width} {is_open}");
        }
        // The less, the more of the digit the lines would be.
        for (width, rows, is_open) in [(2, 46..54, false), (4, 42..59, false), (4, 32..68, true)] {
            let mask = boxed(width, rows, is_open);
            assert_eq!(found(&mask).erased(&mask), mask, "{width} {is_open}");
        }
    }

    #[test]
    fn a_digit_looks_out_of_a_box_that_is_open_above() {
        for (rows, is_open) in [(1..52, true), (48..99, false)] {
            let mask = filled(100, |x, y| {
                let (across, side) = (x.abs_diff(50), x.abs_diff(50).max(y.abs_diff(60)));
                let sides = (29..=30).contains(&side) && !(is_open && y < 50 && across < 29);
                (sides && y >= 30) || ((46..52).contains(&x) && rows.contains(&y))
            });
            assert!(found(&mask).erased(&mask).count() <= 6 * 51 + 12, "{is_open}");
        }
    }

    #[test]
    fn the_sides_of_a_box_meet_and_those_of_a_loop_do_not() {
        // Both around a stroke; the corners of one are cut.
        let ring = |cut: usize| {
            filled(100, move |x, y| {
                let (across, down) = (x.abs_diff(50), y.abs_diff(50));
                let side = across.max(down) == 30 && across + down <= 60 - cut;
                let corner = across.max(down) < 30 && across + down == 60 - cut;
                side || corner || (across <= 3 && down <= 15)
            })
        };
        let left = |mask: &Mask| found(mask).erased(mask).count();
        assert_eq!(left(&ring(0)), 7 * 31);
        assert!(left(&ring(4)) > 7 * 31 + 200, "{}", left(&ring(4)));
    }
}
