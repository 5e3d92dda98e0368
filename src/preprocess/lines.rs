//! Long straight lines: ruled and squared paper, a form's printed box.

mod boxes;

use crate::preprocess::grid::{Mask, Plane, quantile};
use crate::preprocess::segments::{Segment, erase, segments};
use crate::preprocess::sides::{PARALLEL, keep_anchored};

/// A line is at most this thick, as a share of the picture's shorter side.
const THICKEST: f32 = 0.045;

/// In pictures whose shorter side is less there are no lines: a stroke would be
/// as thin as one.
const LEAST_SIDE: usize = 40;

/// So many lines show how they lean and how thick they are.
const SEVERAL: usize = 3;

/// A pen is darker than a line if its contrast is this many times the line's.
const DARKER: f32 = 1.5;

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

    /// A mask without the lines; what crosses them stays.
    pub(super) fn erased(&self, mask: &Mask) -> Mask {
        if self.is_empty() {
            return mask.clone();
        }
        erased(&erased(mask, &self.through), &self.sides)
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

    pub(super) fn filled(side: usize, ink: impl Fn(usize, usize) -> bool) -> Mask {
        let values = (0..side * side).map(|at| ink(at % side, at / side)).collect();
        Mask { width: side, height: side, values }
    }

    pub(super) fn found(mask: &Mask) -> Lines {
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
}
