//! Where something is.

use std::ops::Range;

use crate::preprocess::grid::Mask;

/// The columns and rows of a mask's first and last pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
}

impl Bounds {
    pub(super) fn of(mask: &Mask) -> Option<Self> {
        let mut columns = vec![false; mask.width];
        let mut rows = vec![false; mask.height];
        for (y, any) in rows.iter_mut().enumerate() {
            *any = mask.row(y).contains(&true);
            if *any {
                columns.iter_mut().zip(mask.row(y)).for_each(|(column, &ink)| *column |= ink);
            }
        }
        let ends = |profile: &[bool]| {
            Some((profile.iter().position(|&any| any)?, profile.iter().rposition(|&any| any)?))
        };
        let ((left, right), (top, bottom)) = (ends(&columns)?, ends(&rows)?);
        Some(Self { left, right, top, bottom })
    }

    /// The columns and rows within a margin, as far as the mask goes.
    pub(super) fn grown(&self, margin: usize, of: &Mask) -> (Range<usize>, Range<usize>) {
        let span = |first: usize, last: usize, end: usize| {
            first.saturating_sub(margin)..(last + 1 + margin).min(end)
        };
        (span(self.left, self.right, of.width), span(self.top, self.bottom, of.height))
    }

    /// The same, in a plane that begins farther up and to the left.
    pub(super) fn moved(self, (x, y): (usize, usize)) -> Self {
        Self {
            left: self.left + x,
            right: self.right + x,
            top: self.top + y,
            bottom: self.bottom + y,
        }
    }

    /// Whether all of the other one is within, away from the edges.
    pub(super) fn surrounds(&self, other: &Self) -> bool {
        self.left < other.left
            && other.right < self.right
            && self.top < other.top
            && other.bottom < self.bottom
    }

    pub(super) fn area(&self) -> usize {
        (self.right + 1 - self.left) * (self.bottom + 1 - self.top)
    }

    pub(super) fn contains(&self, x: usize, y: usize) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    pub(super) fn longer_side(&self) -> usize {
        (self.right - self.left).max(self.bottom - self.top) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::drawn;

    #[test]
    fn bounds_are_the_first_and_last_rows_and_columns() {
        let mask = drawn(&[".....", "..#..", ".....", "...#."]);
        let bounds = Bounds::of(&mask).expect("two pixels");
        let Bounds { left, right, top, bottom } = bounds;
        assert_eq!((left, right, top, bottom), (2, 3, 1, 3));
        assert_eq!((bounds.longer_side(), bounds.area()), (3, 6));
        assert_eq!(bounds.grown(1, &mask), (1..5, 0..4));
        assert!(bounds.contains(2, 2) && !bounds.contains(1, 2));
        assert!(Bounds::of(&drawn(&["..", ".."])).is_none());
        let within = Bounds { left: 3, right: 3, top: 2, bottom: 2 };
        assert!(Bounds { left: 2, right: 4, top: 1, bottom: 3 }.surrounds(&within));
        assert!(!bounds.surrounds(&within));
    }
}
