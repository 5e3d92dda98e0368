//! Long straight lines: ruled and squared paper, a form's printed box.

use crate::preprocess::bounds::Bounds;
use crate::preprocess::components::stroke_width;
use crate::preprocess::grid::{Mask, Plane, quantile};
use crate::preprocess::segments::{Segment, erase, segments};
use crate::preprocess::sides::{PARALLEL, WIDER, keep_anchored};

/// A line is at most this thick, as a share of the picture's shorter side.
const THICKEST: f32 = 0.045;

/// In pictures whose shorter side is less there are no lines: a stroke would be
/// as thin as one.
const LEAST_SIDE: usize = 40;

/// So many lines show how they lean and how thick they are.
const SEVERAL: usize = 3;

/// A pen is darker than a line if its contrast is this many times the line's.
const DARKER: f32 = 1.5;

/// A box has at most so many times the ink of what is in it; and so many times if it is
/// not closed and as wide as strokes are: strokes of a digit that look like sides leave
/// little of the digit.
const MOST_OF_BOX: usize = 8;
const MOST_OF_OPEN: usize = 3;

/// Opposite sides of a box are farther from each other.
const APART: f32 = 8.0;

/// What is in a box is so many pixels from its sides: nearer to them there may be
/// rests of the sides.
const CLEAR: f32 = 2.0;

/// Lines along the columns, and those along the rows.
type Families = [Vec<Segment>; 2];

/// The lines of a picture.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// Lines that pass through the picture.
    through: Families,
    /// Sides of boxes.
    sides: Families,
}

impl Lines {
    pub(super) fn none() -> Self {
        Self { through: Families::default(), sides: Families::default() }
    }

    /// Finds the lines in a mask of all that may be one, and fits them to the ink.
    ///
    /// A line ends at the picture's border or at another line; a stroke of a
    /// digit, however straight, has a free end.
    pub(super) fn find(faint: &Mask, ink: &Mask) -> Self {
        if faint.shorter_side() < LEAST_SIDE {
            return Self::none();
        }
        let thickest = (faint.shorter_side() as f32 * THICKEST).round() as usize + 1;
        let across = faint.transposed();
        let mut families = [segments(faint, &across, thickest), segments(&across, faint, thickest)];
        let lengths = [faint.width, faint.height];
        for (family, length) in families.iter_mut().zip(lengths) {
            keep_parallel(family, length);
        }
        keep_thin(&mut families, lengths);
        keep_anchored(&mut families, [faint, &across]);
        limit_thickness(&mut families);
        let chosen = |through: bool| {
            let mut chosen = families.clone();
            for (family, length) in chosen.iter_mut().zip(lengths) {
                family.retain(|segment| segment.passes(length) == through);
            }
            chosen
        };
        let found = Self { through: chosen(true), sides: chosen(false) };
        let mut found = found.seen(1.0, (0.0, 0.0), ink);
        if !found.is_around_ink(ink) {
            found.sides = Families::default();
        }
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.through.iter().chain(&self.sides).all(Vec::is_empty)
    }

    /// The same lines in the mask of a picture with `scale` times as many pixels, whose
    /// first column and row are at `start` of theirs.
    pub(super) fn seen(&self, scale: f32, (left, top): (f32, f32), mask: &Mask) -> Self {
        if self.is_empty() {
            return Self::none();
        }
        let across = mask.transposed();
        let reach = scale.ceil() as usize + 1;
        let family = |family: &[Segment], start: (f32, f32), mask: &Mask| -> Vec<Segment> {
            let seen = family.iter().filter_map(|segment| segment.seen(scale, start, mask.width));
            seen.map(|segment| match segment.fitted(mask, reach) {
                // A stroke along it is thicker.
                Some(fitted) if fitted.thickness <= segment.thickness => fitted,
                _ => segment,
            })
            .collect()
        };
        let seen = |[along, down]: &Families| {
            [family(along, (left, top), mask), family(down, (top, left), &across)]
        };
        Self { through: seen(&self.through), sides: seen(&self.sides) }
    }

    /// Parts the lines by a pen's contrast: the most contrast of those that the pen is
    /// darker than, if there are some, and the others.
    pub(super) fn parted(&self, pen: f32, contrast: &Plane) -> (Option<f32>, Self) {
        let across = contrast.transposed();
        let planes = [contrast, &across];
        let (mut fainter, mut values) = (None, Vec::new());
        let mut parted = |families: &Families| {
            let mut families = families.clone();
            for (family, plane) in families.iter_mut().zip(planes) {
                family.retain(|segment| {
                    values.clear();
                    segment.contrasts(plane, &mut values);
                    let usual = quantile(&mut values, 0.5);
                    let is_fainter = pen >= DARKER * usual;
                    if is_fainter {
                        fainter = Some(fainter.map_or(usual, |most: f32| most.max(usual)));
                    }
                    !is_fainter
                });
            }
            families
        };
        let others = Self { through: parted(&self.through), sides: parted(&self.sides) };
        (fainter, others)
    }

    /// The inside of the box that is around the middle of something, which may be open
    /// above.
    pub(super) fn cell(&self, around: Bounds) -> Option<Bounds> {
        let x = (around.left + around.right) as f32 / 2.0;
        let y = (around.top + around.bottom) as f32 / 2.0;
        let beside = |family: usize, along: f32, across: f32| {
            let all = self.through[family].iter().chain(&self.sides[family]);
            let (mut before, mut after) = (None, None);
            for segment in all {
                if (segment.first as f32) <= along && along <= segment.last as f32 {
                    let row = segment.row_at(along);
                    let half = segment.thickness as f32 / 2.0 + CLEAR;
                    if row < across {
                        before = Some(before.map_or(row + half, |most: f32| most.max(row + half)));
                    } else {
                        after = Some(after.map_or(row - half, |least: f32| least.min(row - half)));
                    }
                }
            }
            (before, after)
        };
        let ((left, right), (top, bottom)) = (beside(1, y, x), beside(0, x, y));
        let least = |row: f32| row.max(0.0).ceil() as usize;
        Some(Bounds {
            left: least(left?),
            right: right?.max(0.0) as usize,
            top: least(top.unwrap_or(0.0)),
            bottom: bottom?.max(0.0) as usize,
        })
    }

    /// A mask without the lines; what crosses them stays.
    pub(super) fn erased(&self, mask: &Mask) -> Mask {
        if self.is_empty() {
            return mask.clone();
        }
        erased(&erased(mask, &self.through), &self.sides)
    }

    /// Whether the lines are around what they leave of the ink, as a box is around a
    /// digit, and not a part of it, as a loop is of a 6.
    fn is_around_ink(&self, ink: &Mask) -> bool {
        if self.sides.iter().all(Vec::is_empty) {
            return true;
        }
        let without_lines = erased(ink, &self.through);
        let left = erased(&without_lines, &self.sides);
        let mut lines = ink.clone();
        lines.values.iter_mut().zip(&left.values).for_each(|(ink, left)| *ink &= !left);
        let Some(bounds) = Bounds::of(&lines) else { return false };
        let count = |mask: &Mask| mask.values.iter().filter(|ink| **ink).count();
        let within = |bounds: Bounds| {
            let points = (0..left.height).flat_map(|y| (0..left.width).map(move |x| (x, y)));
            points.filter(|&(x, y)| bounds.contains(x, y) && left.at(x, y)).count()
        };
        let inside = within(bounds);
        let (all, lines) = (count(&left), count(&without_lines) - count(&left));
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

fn erased(mask: &Mask, families: &Families) -> Mask {
    let mut result = mask.clone();
    for family in families {
        family.iter().for_each(|segment| erase(&mut result, segment));
        result = result.transposed();
    }
    result
}

/// Where several lines pass through the picture, drops what leans otherwise.
fn keep_parallel(family: &mut Vec<Segment>, length: usize) {
    let mut slopes: Vec<f32> = (family.iter())
        .filter(|segment| segment.passes(length))
        .map(|segment| segment.slope)
        .collect();
    if slopes.len() >= SEVERAL {
        let median = quantile(&mut slopes, 0.5);
        family.retain(|segment| (segment.slope - median).abs() <= PARALLEL);
    }
}

/// Where several lines pass through the picture, drops what is thicker: it is
/// written, not printed.
fn keep_thin(families: &mut Families, lengths: [usize; 2]) {
    let mut thicknesses: Vec<usize> = (families.iter().zip(lengths))
        .flat_map(|(family, length)| {
            let passing = family.iter().filter(move |segment| segment.passes(length));
            passing.map(|segment| segment.thickness)
        })
        .collect();
    if thicknesses.len() >= SEVERAL {
        let middle = thicknesses.len() / 2;
        let usual = *thicknesses.select_nth_unstable(middle).1;
        for family in families {
            family.retain(|segment| 2 * segment.thickness <= 3 * usual + 1);
        }
    }
}

/// Where a line is thicker than others, a stroke runs along it.
fn limit_thickness(families: &mut Families) {
    let all = families.iter().flatten();
    let mut thicknesses: Vec<usize> = all.map(|segment| segment.thickness).collect();
    if thicknesses.is_empty() {
        return;
    }
    let third = (thicknesses.len() - 1) / 3;
    let usual = *thicknesses.select_nth_unstable(third).1;
    for segment in families.iter_mut().flatten() {
        segment.thickness = segment.thickness.min(usual + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(side: usize, ink: impl Fn(usize, usize) -> bool) -> Mask {
        let values = (0..side * side).map(|at| ink(at % side, at / side)).collect();
        Mask { width: side, height: side, values }
    }

    fn found(mask: &Mask) -> Lines {
        Lines::find(mask, mask)
    }

    /// An upright stroke in a picture of 75×75.
    fn stroke(rows: std::ops::Range<usize>) -> Mask {
        filled(75, |x, y| (40..43).contains(&x) && rows.contains(&y))
    }

    #[test]
    fn a_line_ends_at_the_rim_and_a_stroke_need_not() {
        assert!(!found(&stroke(0..75)).is_empty());
        assert!(!found(&stroke(3..71)).is_empty());
        assert!(found(&stroke(14..75)).is_empty());
        assert!(found(&stroke(0..60)).is_empty());
    }

    #[test]
    fn lines_side_by_side_need_not_end_at_the_rim() {
        let rows = |rows: &'static [usize]| {
            filled(100, move |x, y| (10..90).contains(&x) && rows.contains(&y))
        };
        assert!(found(&rows(&[30])).is_empty());
        let two = rows(&[30, 70]);
        assert!(!found(&two).erased(&two).values.contains(&true));
    }

    #[test]
    fn what_is_thicker_than_the_lines_is_written() {
        let page =
            |upright: usize| filled(100, move |x, y| y % 30 < 2 || (40..40 + upright).contains(&x));
        let left = |mask: &Mask| found(mask).erased(mask).values.contains(&true);
        assert!(!left(&page(3)));
        assert!(left(&page(5)));
    }

    /// A box from 20 to 80 whose lines are so wide, and a bar in it.
    fn boxed(width: usize, rows: std::ops::Range<usize>, is_open: bool) -> Mask {
        filled(100, |x, y| {
            let side = x.abs_diff(50).max(y.abs_diff(50));
            let top = is_open && y < 20 + width && x.abs_diff(50) + width <= 30;
            ((31 - width..=30).contains(&side) && !top)
                || ((46..52).contains(&x) && rows.contains(&y))
        })
    }

    fn count(mask: &Mask) -> usize {
        mask.values.iter().filter(|ink| **ink).count()
    }

    #[test]
    fn what_is_in_a_box_is_no_speck() {
        for (width, rows, is_open) in
            [(2, 43..57, false), (2, 43..57, true), (4, 38..62, false), (4, 30..70, true)]
        {
            let mask = boxed(width, rows.clone(), is_open);
            let left = count(&found(&mask).erased(&mask));
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
            assert!(count(&found(&mask).erased(&mask)) <= 6 * 51 + 12, "{is_open}");
        }
    }

    #[test]
    fn a_cell_is_between_the_nearest_lines() {
        let mut mask = boxed(2, 42..56, false);
        for at in 0..100 {
            [5, 94].into_iter().for_each(|far| {
                mask.set(at, far, true);
                mask.set(far, at, true);
            });
        }
        let bar = Bounds { left: 46, right: 51, top: 42, bottom: 55 };
        let Bounds { left, right, top, bottom } = found(&mask).cell(bar).expect("a box");
        for (side, expected) in [(left, 24), (right, 76), (top, 24), (bottom, 76)] {
            assert!(side.abs_diff(expected) <= 1, "{side} {expected}");
        }
        let outside = Bounds { left: 96, right: 98, top: 42, bottom: 55 };
        assert!(found(&mask).cell(outside).is_none());
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
        let left = |mask: &Mask| found(mask).erased(mask).values.iter().filter(|ink| **ink).count();
        assert_eq!(left(&ring(0)), 7 * 31);
        assert!(left(&ring(4)) > 7 * 31 + 200, "{}", left(&ring(4)));
    }
}
