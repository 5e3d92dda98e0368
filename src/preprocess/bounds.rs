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
        let rows = || (0..mask.height).filter(|&y| mask.row(y).contains(&true));
        let columns = (0..mask.height).filter_map(|y| {
            let row = mask.row(y);
            Some((row.iter().position(|&ink| ink)?, row.iter().rposition(|&ink| ink)?))
        });
        let (left, right) = columns.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(Self { left, right, top: rows().next()?, bottom: rows().next_back()? })
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
