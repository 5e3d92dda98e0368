//! Which straight segments are lines, and not strokes: how they end says it.

use crate::preprocess::components::stroke_width;
use crate::preprocess::grid::Mask;
use crate::preprocess::segments::Segment;

/// The slopes of parallel lines in a photo differ by less.
pub(super) const PARALLEL: f32 = 0.05;

/// Sides of a box are at right angles to each other, but for this slope.
const UPRIGHT: f32 = 0.08;

/// A stroke that hides a line is wider by this factor, and a pixel.
pub(super) const WIDER: f32 = 1.3;

/// Keeps what ends as lines do, until all that is left does; the masks are those
/// of the two families.
///
/// A ruled line ends at the picture's rim, or runs beside another as long. The sides
/// of a box meet in corners or leave the picture, and one may be hidden by the digit or
/// missing, as above a comb; those between boxes side by side end just where the sides
/// are.
pub(super) fn keep_anchored(families: &mut [Vec<Segment>; 2], masks: [&Mask; 2]) {
    if families.iter().all(Vec::is_empty) {
        return;
    }
    let pen = stroke_width(masks[0]);
    loop {
        let before = families.clone();
        let through: Vec<Segment> = (before.iter().zip(masks))
            .flat_map(|(family, mask)| family.iter().filter(|segment| segment.passes(mask.width)))
            .copied()
            .collect();
        for (family, mask) in masks.into_iter().enumerate() {
            let (these, others) = (&before[family], families[1 - family].clone());
            let around = Around { these, others: &others, mask, pen };
            let is_printed = |segment: &Segment| {
                through.is_empty() || through.iter().any(|line| is_as_thin(segment, line))
            };
            families[family].retain(|segment| {
                around.passes(segment) || (is_printed(segment) && around.is_side(segment))
            });
        }
        if families.iter().zip(&before).all(|(left, all)| left.len() == all.len()) {
            return;
        }
    }
}

/// How a segment ends.
enum End {
    /// Where a segment of the other family ends too.
    Corner,
    /// Just at a segment of the other family.
    Junction,
    /// At the picture's rim.
    Rim,
    Free,
}

/// What is around a segment: those of its family and of the other one.
struct Around<'a> {
    these: &'a [Segment],
    others: &'a [Segment],
    mask: &'a Mask,
    /// The width of strokes where they are wide.
    pen: f32,
}

/// How far from a segment is near it.
fn near(segment: &Segment) -> f32 {
    segment.thickness as f32 / 2.0 + 3.0
}

/// Whether a segment is no thicker than another, but for rounding.
fn is_as_thin(segment: &Segment, other: &Segment) -> bool {
    4 * segment.thickness <= 5 * other.thickness + 3
}

/// Whether one end of a segment is near this row.
fn ends_at(segment: &Segment, row: f32) -> bool {
    [segment.first, segment.last].iter().any(|&end| (end as f32 - row).abs() <= near(segment))
}

impl Around<'_> {
    /// Whether it passes through the picture.
    fn passes(&self, segment: &Segment) -> bool {
        let &Segment { first, last, .. } = segment;
        if self.at_side(first) && self.at_side(last) {
            return true;
        }
        let rim = self.rim() as f32;
        let at_rim = |end: usize| {
            let row = segment.row_at(end as f32);
            self.at_side(end) || row < rim || row + rim >= self.mask.height as f32
        };
        let longer = self.mask.width.max(self.mask.height);
        let passes = |segment: &Segment| segment.passes(longer);
        let parallel = |other: &&Segment| (other.slope - segment.slope).abs() <= PARALLEL;
        passes(segment)
            && ((at_rim(first) && at_rim(last))
                || self.beside(segment).filter(parallel).any(passes))
    }

    fn rim(&self) -> usize {
        3 + self.mask.shorter_side() / 32
    }

    /// Whether a column is at the picture's rim.
    fn at_side(&self, column: usize) -> bool {
        column < self.rim() || column + self.rim() >= self.mask.width
    }

    /// Whether it is a side of a box.
    fn is_side(&self, segment: &Segment) -> bool {
        let &Segment { first, last, .. } = segment;
        match [first, last].map(|end| self.end(segment, end)) {
            [End::Corner, End::Corner | End::Rim] | [End::Rim, End::Corner] => true,
            [End::Corner, End::Free] => {
                self.is_hidden(segment, last) || self.is_paired(segment, first)
            }
            [End::Free, End::Corner] => {
                self.is_hidden(segment, first) || self.is_paired(segment, last)
            }
            [End::Junction, End::Free] => self.is_paired(segment, first),
            [End::Free, End::Junction] => self.is_paired(segment, last),
            [End::Free, _] | [_, End::Free] => false,
            [End::Junction, End::Junction] => self.divides(segment),
            _ => self.pairs(segment).next().is_some(),
        }
    }

    fn end(&self, segment: &Segment, end: usize) -> End {
        let row = segment.row_at(end as f32);
        let is_just_at = |other: &Segment| {
            let off = (segment.crossing(other).0 - end as f32).abs();
            off <= other.thickness as f32 / 2.0 + 1.5
        };
        if self.meeting(segment, end).any(|other| ends_at(other, row)) {
            End::Corner
        } else if self.meeting(segment, end).any(is_just_at) {
            End::Junction
        } else if self.at_side(end) {
            End::Rim
        } else {
            End::Free
        }
    }

    /// Those of the other family that are at an end of a segment, and upright on it.
    fn meeting(&self, segment: &Segment, end: usize) -> impl Iterator<Item = &Segment> {
        self.others.iter().filter(move |other| {
            (segment.slope + other.slope).abs() <= UPRIGHT
                && segment.meets(other, end, near(other), self.mask)
        })
    }

    /// Those of the family that are beside a segment.
    fn beside(&self, segment: &Segment) -> impl Iterator<Item = &Segment> {
        let (middle, apart) = (segment.middle(), 2.0 * (segment.thickness + 3) as f32);
        let row = segment.row_at(middle);
        self.these.iter().filter(move |other| (other.row_at(middle) - row).abs() > apart)
    }

    /// Those beside a segment that are as thick and end where it does.
    fn pairs(&self, segment: &Segment) -> impl Iterator<Item = &Segment> {
        let (middle, &Segment { first, last, slope, .. }) = (segment.middle(), segment);
        self.beside(segment).filter(move |other| {
            let apart = other.row_at(middle) - segment.row_at(middle);
            // What is at right angles to them leans to the other side.
            let lean = -slope * apart;
            let most = near(segment) + PARALLEL * apart.abs();
            let ends = |a: usize, b: usize| (b as f32 - a as f32 - lean).abs() <= most;
            is_as_thin(segment, other)
                && (other.slope - slope).abs() <= PARALLEL
                && ends(first, other.first)
                && ends(last, other.last)
        })
    }

    /// Whether a wide stroke hides the free end of a segment.
    fn is_hidden(&self, segment: &Segment, free: usize) -> bool {
        self.pen >= WIDER * segment.thickness as f32 + 1.0 && self.is_in_stroke(segment, free)
    }

    /// Whether another segment ends beside both ends of what stands on a line, and
    /// stands on it too: the sides of a box that is open, or of whose sides one is hidden.
    fn is_paired(&self, segment: &Segment, stands: usize) -> bool {
        self.pairs(segment).any(|pair| {
            let end = if stands == segment.first { pair.first } else { pair.last };
            self.meeting(segment, stands).any(|base| {
                is_as_thin(segment, base) && pair.meets(base, end, near(base), self.mask)
            })
        })
    }

    /// Whether there is ink that is wider than a segment just beyond its end.
    fn is_in_stroke(&self, segment: &Segment, end: usize) -> bool {
        let beyond = if end == segment.last { end + 2 } else { end.saturating_sub(2) };
        let run = segment.run_at(beyond.min(self.mask.width - 1), 2, self.mask);
        run.is_some_and(|(top, bottom)| bottom - top > segment.thickness)
    }

    /// Whether it is between boxes side by side: no thicker than what it ends at.
    fn divides(&self, segment: &Segment) -> bool {
        let is_at_thick = |end| self.meeting(segment, end).any(|other| is_as_thin(segment, other));
        is_at_thick(segment.first) && is_at_thick(segment.last)
    }
}

#[cfg(test)]
mod tests {
    use crate::preprocess::grid::Mask;
    use crate::preprocess::lines::Lines;

    /// Fills columns and rows from the first to the last.
    fn fill(mask: &mut Mask, (left, right): (usize, usize), (top, bottom): (usize, usize)) {
        (top..=bottom).for_each(|y| (left..=right).for_each(|x| mask.set(x, y, true)));
    }

    /// A digit of 6 by 31 pixels, and lines two pixels wide: columns or rows, each with
    /// its first and last pixel.
    fn page(columns: &[(usize, usize, usize)], rows: &[(usize, usize, usize)]) -> Mask {
        let mut mask = Mask::filled(120, 100, false);
        fill(&mut mask, (40, 45), (32, 62));
        columns.iter().for_each(|&(x, top, bottom)| fill(&mut mask, (x, x + 1), (top, bottom)));
        rows.iter().for_each(|&(y, left, right)| fill(&mut mask, (left, right), (y, y + 1)));
        mask
    }

    fn left(mask: &Mask) -> usize {
        Lines::find(mask, mask).erased(mask).count()
    }

    const DIGIT: usize = 6 * 31;

    #[test]
    fn a_box_may_leave_the_picture() {
        assert_eq!(left(&page(&[(80, 20, 75)], &[(20, 0, 81), (74, 0, 81)])), DIGIT);
        // In a corner of the picture it has two sides.
        assert_eq!(left(&page(&[(80, 0, 75)], &[(74, 0, 81)])), DIGIT);
        // A stroke that leaves the picture has no corner.
        assert!(left(&page(&[(80, 0, 75)], &[])) > DIGIT + 100);
    }

    #[test]
    fn boxes_side_by_side_have_sides_between_them() {
        let rows = [(20, 0, 119), (74, 0, 119)];
        assert_eq!(left(&page(&[(26, 20, 75)], &rows)), DIGIT);
        // A stroke is shorter, or longer.
        assert!(left(&page(&[(26, 30, 75)], &rows)) > DIGIT + 40);
        assert!(left(&page(&[(26, 12, 83)], &rows)) > DIGIT + 10);
        // Or wider than the lines.
        let mut mask = page(&[], &rows);
        fill(&mut mask, (24, 28), (20, 75));
        assert!(left(&mask) > DIGIT + 100);
    }

    #[test]
    fn the_sides_of_a_comb_end_alike() {
        let base = (74, 0, 119);
        // On a line through the picture or on a short one, below or above.
        for row in [base, (74, 20, 81)] {
            assert_eq!(left(&page(&[(20, 30, 75), (80, 30, 75)], &[row])), DIGIT);
        }
        for row in [(20, 0, 119), (20, 20, 81)] {
            assert_eq!(left(&page(&[(20, 20, 70), (80, 20, 70)], &[row])), DIGIT);
        }
        // Not where one is longer, or alone, or where they are wider than their base.
        assert!(left(&page(&[(20, 30, 75), (80, 10, 75)], &[base])) > DIGIT + 100);
        assert!(left(&page(&[(80, 30, 75)], &[base])) > DIGIT + 70);
        let mut mask = page(&[], &[(74, 20, 81)]);
        fill(&mut mask, (20, 23), (30, 75));
        fill(&mut mask, (78, 81), (30, 75));
        assert!(left(&mask) > DIGIT + 300, "{}", left(&mask));
    }

    #[test]
    fn what_is_wider_than_ruled_lines_is_no_box() {
        let ring = |is_ruled: bool| {
            let mut mask = page(&[], &[]);
            for (columns, rows) in [
                ((20, 80), (22, 24)),
                ((20, 80), (72, 74)),
                ((20, 22), (22, 74)),
                ((78, 80), (22, 74)),
            ] {
                fill(&mut mask, columns, rows);
            }
            if is_ruled {
                fill(&mut mask, (0, 119), (90, 90));
            }
            left(&mask)
        };
        assert_eq!(ring(false), DIGIT);
        assert!(ring(true) > DIGIT + 500);
    }

    #[test]
    fn a_wide_stroke_hides_a_side() {
        let three = page(&[(20, 20, 75), (80, 20, 75)], &[(74, 20, 81)]);
        assert_eq!(left(&three), DIGIT);
        // Where no stroke is wider, three strokes may be of the digit.
        let mut thin = three.clone();
        (32..=62).for_each(|y| (42..=45).for_each(|x| thin.set(x, y, false)));
        assert!(left(&thin) > 2 * 31 + 200);
    }
}
