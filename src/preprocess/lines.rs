//! Long straight lines: ruled and squared paper, a form's printed box.

use crate::preprocess::bounds::Bounds;
use crate::preprocess::grid::{Mask, quantile};
use crate::preprocess::segments::{STEEPEST, Segment, THROUGH, erase, segments};

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
        keep_anchored(&mut families, mask.width, mask.height);
        let chosen = |through: bool| {
            let mut chosen = families.clone();
            for (family, length) in chosen.iter_mut().zip(lengths) {
                family.retain(|segment| {
                    (segment.length() as f32 >= THROUGH * length as f32) == through
                });
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
        .filter(|segment| segment.length() as f32 >= THROUGH * length as f32)
        .map(|segment| segment.slope)
        .collect();
    if slopes.len() >= SEVERAL {
        let median = quantile(&mut slopes, 0.5);
        family.retain(|segment| (segment.slope - median).abs() <= PARALLEL);
    }
}

/// Keeps what ends as lines do, until all that is left does.
///
/// A ruled line passes through nearly all of the picture. A side of a box ends
/// at other lines, and another side has its ends beside it.
fn keep_anchored(families: &mut [Vec<Segment>; 2], width: usize, height: usize) {
    let near = |segment: &Segment| (segment.thickness + 3) as f32;
    let border = 3 + width.min(height) / 32;
    loop {
        let mut dropped = false;
        for family in 0..2 {
            let (these, others) = (families[family].clone(), families[1 - family].clone());
            let length = [width, height][family];
            let before = these.len();
            families[family].retain(|segment| {
                let longer = width.max(height) as f32;
                if segment.length() as f32 >= THROUGH * longer {
                    return true;
                }
                let at_border = |end: usize| end < border || end + border >= length;
                let anchored = |end: usize| {
                    at_border(end)
                        || others.iter().any(|other| other.meets(segment, end, near(other)))
                };
                if at_border(segment.first) && at_border(segment.last) {
                    return true;
                }
                if !(anchored(segment.first) && anchored(segment.last)) {
                    return false;
                }
                let paired = these.iter().any(|other| {
                    let apart = |a: usize, b: usize| {
                        a.abs_diff(b) as f32 <= near(segment) + STEEPEST * segment.length() as f32
                    };
                    let middle = (segment.first + segment.last) / 2;
                    let beside = (other.row_at(middle) - segment.row_at(middle)).abs();
                    beside > 2.0 * near(segment)
                        && 2 * segment.thickness <= 3 * other.thickness + 1
                        && apart(other.first, segment.first)
                        && apart(other.last, segment.last)
                });
                let corner = |end: usize| {
                    others.iter().any(|other| {
                        let row = segment.row_at(end);
                        let ends = [other.first, other.last];
                        other.meets(segment, end, near(other))
                            && ends.iter().any(|&at| (at as f32 - row).abs() <= near(other))
                    })
                };
                paired || (corner(segment.first) && corner(segment.last))
            });
            dropped |= families[family].len() < before;
        }
        if !dropped {
            return;
        }
    }
}
