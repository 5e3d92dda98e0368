//! Long straight lines: ruled and squared paper, a form's printed box.

use crate::preprocess::bounds::Bounds;
use crate::preprocess::grid::{Mask, quantile};
use crate::preprocess::segments::{STEEPEST, Segment, erase, segments};

/// A line is at most this thick, as a share of the picture's shorter side.
const THICKEST: f32 = 0.045;

/// In pictures whose shorter side is less there are no lines: a stroke would be
/// as thin as one.
const LEAST_SIDE: usize = 40;

/// The slopes of parallel lines in a photo differ by less, if there are several.
const PARALLEL: f32 = 0.05;
const SEVERAL: usize = 3;

/// The lines of a picture: those along the columns, and those along the rows.
pub(super) struct Lines {
    /// Lines that pass through the picture.
    through: [Vec<Segment>; 2],
    /// Sides of boxes.
    sides: [Vec<Segment>; 2],
}

impl Lines {
    pub(super) fn none() -> Self {
        Self { through: [const { Vec::new() }; 2], sides: [const { Vec::new() }; 2] }
    }

    /// Finds the lines in a mask.
    ///
    /// A line ends at the picture's border or at another line; a stroke of a
    /// digit, however straight, has a free end.
    pub(super) fn find(mask: &Mask) -> Self {
        if mask.shorter_side() < LEAST_SIDE {
            return Self::none();
        }
        let thickest = (mask.shorter_side() as f32 * THICKEST).round() as usize + 1;
        let across = mask.transposed();
        let mut families = [segments(mask, &across, thickest), segments(&across, mask, thickest)];
        let lengths = [mask.width, mask.height];
        for (family, length) in families.iter_mut().zip(lengths) {
            keep_parallel(family, length);
        }
        keep_thin(&mut families, lengths);
        keep_anchored(&mut families, [mask, &across]);
        let chosen = |through: bool| {
            let mut chosen = families.clone();
            for (family, length) in chosen.iter_mut().zip(lengths) {
                family.retain(|segment| segment.passes(length) == through);
            }
            chosen
        };
        Self { through: chosen(true), sides: chosen(false) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.through.iter().chain(&self.sides).all(Vec::is_empty)
    }

    /// A mask without the lines; what crosses them stays.
    pub(super) fn erased(&self, mask: &Mask) -> Mask {
        let result = erased(mask, &self.through);
        if self.sides.iter().all(Vec::is_empty) {
            return result;
        }
        let without_sides = erased(&result, &self.sides);
        if is_boxed(&result, &without_sides) { without_sides } else { result }
    }
}

fn erased(mask: &Mask, families: &[Vec<Segment>; 2]) -> Mask {
    let mut result = mask.clone();
    for family in families {
        family.iter().for_each(|segment| erase(&mut result, segment));
        result = result.transposed();
    }
    result
}

/// Whether what was erased was around what is left, as a box is around a digit,
/// and not a part of it, as a loop is of a 6.
fn is_boxed(before: &Mask, after: &Mask) -> bool {
    let mut erased = before.clone();
    erased.values.iter_mut().zip(&after.values).for_each(|(ink, left)| *ink &= !left);
    let Some(bounds) = Bounds::of(&erased) else { return false };
    let (mut inside, mut all) = (0, 0);
    for y in 0..after.height {
        for x in (0..after.width).filter(|&x| after.at(x, y)) {
            all += 1;
            inside += usize::from(bounds.contains(x, y));
        }
    }
    let lines = erased.values.iter().filter(|ink| **ink).count();
    2 * inside >= all && 8 * inside >= lines
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
fn keep_thin(families: &mut [Vec<Segment>; 2], lengths: [usize; 2]) {
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

/// Keeps what ends as lines do, until all that is left does; the masks are those
/// of the two families.
///
/// A ruled line ends at the picture's rim, or runs beside another as long. A side
/// of a box ends at other lines, and another side has its ends beside it.
fn keep_anchored(families: &mut [Vec<Segment>; 2], masks: [&Mask; 2]) {
    loop {
        let before = families.clone();
        for (family, mask) in masks.into_iter().enumerate() {
            let (these, others) = (&before[family], families[1 - family].clone());
            families[family].retain(|segment| is_anchored(segment, these, &others, mask));
        }
        if families.iter().zip(&before).all(|(left, all)| left.len() == all.len()) {
            return;
        }
    }
}

/// Whether a segment ends as lines do, among those of its family and the others.
fn is_anchored(segment: &Segment, these: &[Segment], others: &[Segment], mask: &Mask) -> bool {
    let near = |segment: &Segment| (segment.thickness + 3) as f32;
    let rim = 3 + mask.shorter_side() / 32;
    let longer = mask.width.max(mask.height);
    let (first, last) = (segment.first, segment.last);
    let middle = (first + last) as f32 / 2.0;
    let beside = |other: &&Segment| {
        (other.row_at(middle) - segment.row_at(middle)).abs() > 2.0 * near(segment)
    };

    let at_side = |end: usize| end < rim || end + rim >= mask.width;
    let at_rim = |end: usize| {
        let row = segment.row_at(end as f32);
        at_side(end) || row < rim as f32 || row + rim as f32 >= mask.height as f32
    };
    if at_side(first) && at_side(last) {
        return true;
    }
    let passes = |segment: &Segment| segment.passes(longer);
    let parallel = |other: &&Segment| (other.slope - segment.slope).abs() <= PARALLEL;
    if passes(segment)
        && ((at_rim(first) && at_rim(last))
            || these.iter().filter(beside).filter(parallel).any(passes))
    {
        return true;
    }

    let meets = |end: usize, other: &&Segment| segment.meets(other, end, near(other), mask);
    let anchored = |end: usize| at_side(end) || others.iter().any(|other| meets(end, &other));
    let paired = || {
        let apart = |a: usize, b: usize| {
            a.abs_diff(b) as f32 <= near(segment) + STEEPEST * segment.length() as f32
        };
        these.iter().filter(beside).any(|other| {
            2 * segment.thickness <= 3 * other.thickness + 1
                && apart(other.first, first)
                && apart(other.last, last)
        })
    };
    let corner = |end: usize| {
        let row = segment.row_at(end as f32);
        others.iter().filter(|other| meets(end, other)).any(|other| {
            [other.first, other.last].iter().any(|&at| (at as f32 - row).abs() <= near(other))
        })
    };
    anchored(first) && anchored(last) && (paired() || (corner(first) && corner(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(side: usize, ink: impl Fn(usize, usize) -> bool) -> Mask {
        let values = (0..side * side).map(|at| ink(at % side, at / side)).collect();
        Mask { width: side, height: side, values }
    }

    /// An upright stroke in a picture of 75×75.
    fn stroke(rows: std::ops::Range<usize>) -> Mask {
        filled(75, |x, y| (40..43).contains(&x) && rows.contains(&y))
    }

    #[test]
    fn a_line_ends_at_the_rim_and_a_stroke_need_not() {
        assert!(!Lines::find(&stroke(0..75)).is_empty());
        assert!(!Lines::find(&stroke(3..71)).is_empty());
        assert!(Lines::find(&stroke(14..75)).is_empty());
        assert!(Lines::find(&stroke(0..60)).is_empty());
    }

    #[test]
    fn lines_side_by_side_need_not_end_at_the_rim() {
        let rows = |rows: &'static [usize]| {
            filled(100, move |x, y| (10..90).contains(&x) && rows.contains(&y))
        };
        assert!(Lines::find(&rows(&[30])).is_empty());
        let two = rows(&[30, 70]);
        assert!(!Lines::find(&two).erased(&two).values.contains(&true));
    }

    #[test]
    fn what_is_thicker_than_the_lines_is_written() {
        let page =
            |upright: usize| filled(100, move |x, y| y % 30 < 2 || (40..40 + upright).contains(&x));
        let left = |mask: &Mask| Lines::find(mask).erased(mask).values.contains(&true);
        assert!(!left(&page(3)));
        assert!(left(&page(5)));
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
        let left =
            |mask: &Mask| Lines::find(mask).erased(mask).values.iter().filter(|ink| **ink).count();
        assert_eq!(left(&ring(0)), 7 * 31);
        assert!(left(&ring(4)) > 7 * 31 + 200, "{}", left(&ring(4)));
    }
}
