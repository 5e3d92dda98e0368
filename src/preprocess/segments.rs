//! Straight pieces of lines.

use crate::preprocess::grid::{Mask, Plane};

/// Lines lean by at most this slope, 8 degrees.
const STEEPEST: f32 = 0.14;

/// A line is at least this long, as a share of the picture's shorter side.
const SHORTEST: f32 = 0.2;

/// What is as long as this share of the picture's side passes through it.
const THROUGH: f32 = 0.75;

/// Where more of the picture than this share is thin, it is texture.
const TEXTURE: f32 = 0.3;

/// Candidates that are looked at, at most; the finest squared paper that is told
/// from texture has half as many lines.
const MOST_PEAKS: usize = 300;

/// A line has ink along at least this share of its length.
const FILLED: f32 = 0.8;

/// A straight piece of a line, along the columns of a mask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// The row at column 0, and how much it grows with each column.
    pub(super) row: f32,
    pub(super) slope: f32,
    /// The first and last column.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The usual number of rows that it takes.
    pub(super) thickness: usize,
}

impl Segment {
    pub(super) fn length(&self) -> usize {
        self.last + 1 - self.first
    }

    pub(super) fn middle(&self) -> f32 {
        (self.first + self.last) as f32 / 2.0
    }

    /// Whether it passes through a picture with a side of this length.
    pub(super) fn passes(&self, side: usize) -> bool {
        self.length() as f32 >= THROUGH * side as f32
    }

    /// The column and row where a segment of the other family crosses this one's line.
    pub(super) fn crossing(&self, other: &Self) -> (f32, f32) {
        let row = (self.row + self.slope * other.row) / (1.0 - self.slope * other.slope);
        (other.row_at(row), row)
    }

    /// Whether a segment of the other family passes by an end of this one, and
    /// there is ink in `mask` where they cross: the sides of a loop have none there.
    pub(super) fn meets(&self, other: &Self, end: usize, near: f32, mask: &Mask) -> bool {
        let (column, row) = self.crossing(other);
        let beside = |at: f32, side: usize| {
            let at = at.round().clamp(0.0, side as f32 - 1.0) as usize;
            at.saturating_sub(1)..(at + 2).min(side)
        };
        (column - end as f32).abs() <= near
            && row >= other.first as f32 - near
            && row <= other.last as f32 + near
            && beside(row, mask.height).any(|y| beside(column, mask.width).any(|x| mask.at(x, y)))
    }

    /// The same line in a picture with `scale` times as many pixels, which is `width`
    /// wide and whose first column and row are at `start` of this one's; `None` if it is
    /// not in there.
    pub(super) fn seen(&self, scale: f32, start: (f32, f32), width: usize) -> Option<Self> {
        // The middle of a column is half a pixel from where it starts.
        let place = |at: f32, start: f32| (at + 0.5 - start) * scale - 0.5;
        let first = place(self.first as f32 - 0.5, start.0);
        let last = place(self.last as f32 + 0.5, start.0);
        if last < 0.0 || first >= width as f32 {
            return None;
        }
        let column_0 = start.0 + 0.5 / scale - 0.5;
        Some(Self {
            row: place(self.row_at(column_0), start.1),
            slope: self.slope,
            first: first.max(0.0) as usize,
            last: (last as usize).min(width - 1),
            thickness: (self.thickness as f32 * scale).ceil() as usize,
        })
    }

    /// The same line where the ink of a mask has it, at most `reach` rows from where
    /// it was; `None` if there is less ink than paper.
    ///
    /// # Source
    /// Least squares: Gauss, *Theoria motus corporum coelestium* (1809), section 179.
    pub(super) fn fitted(&self, mask: &Mask, reach: usize) -> Option<Self> {
        let runs: Vec<(usize, (usize, usize))> = (self.first..=self.last)
            .filter_map(|x| Some((x, self.run_at(x, reach, mask)?)))
            .collect();
        if 2 * runs.len() < self.length() {
            return None;
        }
        let mut thicknesses: Vec<usize> =
            runs.iter().map(|(_, (top, bottom))| bottom + 1 - top).collect();
        let half = thicknesses.len() / 2;
        let thickness = *thicknesses.select_nth_unstable(half).1;

        // What is thicker belongs to a stroke too.
        let (middle, most) = (self.middle(), reach as f32 + thickness as f32 / 2.0);
        let points = runs.into_iter().filter(|(_, (top, bottom))| bottom - top <= thickness);
        let points = points.map(|(x, (top, bottom))| {
            let off = (top + bottom) as f32 / 2.0 - self.row_at(x as f32);
            (x as f32 - middle, off)
        });
        let (mut count, mut sum_x, mut sum_y, mut sum_xx, mut sum_xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, y) in points.filter(|(_, off)| off.abs() <= most) {
            count += 1.0;
            sum_x += x;
            sum_y += y;
            sum_xx += x * x;
            sum_xy += x * y;
        }
        let count = f32::max(count, 1.0);
        let spread = f32::max(sum_xx - sum_x * sum_x / count, 1.0);
        // No end moves farther than the middle may.
        let turn = 2.0 * most / self.length() as f32;
        let lean = ((sum_xy - sum_x * sum_y / count) / spread).clamp(-turn, turn);
        let shift = (sum_y - lean * sum_x) / count;
        let row = self.row + shift - lean * middle;
        Some(Self { row, slope: self.slope + lean, thickness, ..*self })
    }

    /// The first and last row of the ink that is nearest to the line in a column, at most
    /// `reach` rows from it.
    pub(super) fn run_at(&self, x: usize, reach: usize, mask: &Mask) -> Option<(usize, usize)> {
        self.near(x, reach, mask.height).find(|&y| mask.at(x, y)).map(|y| run(mask, x, y))
    }

    /// The rows of a column that are at most `reach` from the line, the nearest first.
    fn near(&self, x: usize, reach: usize, height: usize) -> impl Iterator<Item = usize> + use<> {
        let middle = self.row_at(x as f32);
        let offsets = (0..=reach).flat_map(|off| [-(off as f32), off as f32]).skip(1);
        let rows = offsets.map(move |offset| (middle + offset).round());
        rows.filter(move |&y| y >= 0.0 && y < height as f32).map(|y| y as usize)
    }

    /// Adds the most contrast at each column of the line.
    pub(super) fn contrasts(&self, contrast: &Plane, values: &mut Vec<f32>) {
        for x in self.first..=self.last {
            let most = self.near(x, 1, contrast.height).map(|y| contrast.at(x, y));
            values.extend(most.reduce(f32::max));
        }
    }

    pub(super) fn row_at(&self, column: f32) -> f32 {
        self.row + self.slope * column
    }
}

/// The straight pieces along the columns; `across` is the mask transposed.
///
/// # Source
/// Duda, Hart, *Use of the Hough transformation to detect lines and curves in
/// pictures* (Communications of the ACM, 1972), with slope and intercept.
pub(super) fn segments(mask: &Mask, across: &Mask, thickest: usize) -> Vec<Segment> {
    let (width, height) = (mask.width, mask.height);
    let shortest = ((mask.shorter_side() as f32 * SHORTEST) as usize).max(8);
    // One step of the slope moves the end of a line by two pixels, half of which
    // a line's own tolerance takes.
    let steps = (STEEPEST * width as f32 / 2.0) as usize;
    let slopes: Vec<f32> =
        (0..=2 * steps).map(|j| 2.0 * (j as f32 - steps as f32) / width as f32).collect();
    let votes = thin(mask, across, thickest);
    let inked = votes.values.iter().filter(|vote| **vote).count();
    if inked < shortest / 2 || inked as f32 > TEXTURE * votes.values.len() as f32 {
        return Vec::new();
    }
    let margin = 2 * steps + 1;
    let rows = height + 2 * margin;
    let mut counts = vec![0_u16; slopes.len() * rows];
    for (at, _) in votes.values.iter().enumerate().filter(|(_, vote)| **vote) {
        let (x, y) = ((at % width) as f32, at / width);
        for (&slope, counts) in slopes.iter().zip(counts.chunks_exact_mut(rows)) {
            let row = y as f32 - slope * x + margin as f32 + 0.5;
            let count = &mut counts[row as usize];
            *count = count.saturating_add(1);
        }
    }
    let enough = (shortest * 2 / 3) as u16;
    // Of neighbouring slopes and rows, only the best.
    let is_peak = |at: usize| {
        let count = counts[at];
        let near = [at.wrapping_sub(rows), at.wrapping_sub(1), at + 1, at + rows];
        let beaten = |&other: &usize| {
            counts.get(other).is_some_and(|&next| next > count || (next == count && other < at))
        };
        count >= enough && !near.iter().any(beaten)
    };
    let mut peaks: Vec<usize> = (0..counts.len()).filter(|&at| is_peak(at)).collect();
    peaks.sort_by_key(|&at| (u16::MAX - counts[at], at));

    let mut free = votes;
    let mut found = Vec::new();
    for at in peaks.into_iter().take(MOST_PEAKS) {
        let (slope, row) = (slopes[at / rows], (at % rows) as f32 - margin as f32);
        // A faint line has gaps, but passes through; a box has none, and ends.
        let through = (THROUGH * width as f32) as usize;
        trace(mask, &mut free, slope, row, (through, shortest), thickest, &mut found);
        trace(mask, &mut free, slope, row, (shortest, shortest / 8), thickest, &mut found);
    }
    found
}

/// The pixels whose vertical run is at most this long: thick strokes are no
/// lines. `across` is the mask transposed.
fn thin(mask: &Mask, across: &Mask, thickest: usize) -> Mask {
    let mut result = mask.clone();
    for x in 0..mask.width {
        let column = across.row(x);
        let mut y = 0;
        while let Some(start) = column[y..].iter().position(|&ink| ink).map(|at| y + at) {
            y = column[start..].iter().position(|&ink| !ink).map_or(mask.height, |at| start + at);
            if y - start > thickest {
                (start..y).for_each(|y| result.set(x, y, false));
            }
        }
    }
    result
}

/// Follows a line, and adds its long pieces.
fn trace(
    mask: &Mask,
    free: &mut Mask,
    slope: f32,
    row: f32,
    (shortest, longest_gap): (usize, usize),
    thickest: usize,
    found: &mut Vec<Segment>,
) {
    let (width, height) = (mask.width, mask.height);
    let longest_gap = longest_gap.max(2);
    let line = Segment { row, slope, first: 0, last: 0, thickness: 0 };
    let near = |x: usize| line.near(x, 1, height);
    let mut x = 0;
    while x < width {
        let Some(first) = (x..width).find(|&x| near(x).any(|y| mask.at(x, y))) else { return };
        let (mut last, mut hits, mut fresh) = (first, 0, 0);
        x = first;
        while x < width && x - last <= longest_gap {
            if let Some(y) = near(x).find(|&y| mask.at(x, y)) {
                (last, hits) = (x, hits + 1);
                fresh += usize::from(free.at(x, y));
            }
            x += 1;
        }
        x = x.max(first + 1);
        let length = last - first + 1;
        if length < shortest || (hits as f32) < FILLED * length as f32 || 2 * fresh < length {
            continue;
        }
        let Some(segment) = (Segment { first, last, ..line }).fitted(mask, 1) else {
            continue;
        };
        if segment.thickness > thickest {
            continue;
        }
        for x in first..=last {
            for y in near(x) {
                free.set(x, y, false);
            }
        }
        found.push(segment);
    }
}

/// The first and last row of the vertical run of ink through a pixel.
fn run(mask: &Mask, x: usize, y: usize) -> (usize, usize) {
    let top = (0..y).rev().find(|&y| !mask.at(x, y)).map_or(0, |y| y + 1);
    let bottom = (y + 1..mask.height).find(|&y| !mask.at(x, y)).unwrap_or(mask.height) - 1;
    (top, bottom)
}

/// Erases a segment from a mask, where nothing crosses it: where the ink across
/// is thicker than the line, it stays.
///
/// # Source
/// As staff lines are erased: Dalitz, Droettboom, Pranzas, Fujinaga, *A
/// comparative study of staff removal algorithms* (IEEE Transactions on Pattern
/// Analysis and Machine Intelligence, 2008).
pub(super) fn erase(mask: &mut Mask, segment: &Segment) {
    let thickest = segment.thickness + (segment.thickness / 2).max(1);
    for x in segment.first.saturating_sub(2)..=(segment.last + 2).min(mask.width - 1) {
        for y in segment.near(x, 1, mask.height) {
            if !mask.at(x, y) {
                continue;
            }
            let (top, bottom) = run(mask, x, y);
            if bottom - top < thickest {
                (top..=bottom).for_each(|y| mask.set(x, y, false));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of three rows, with a blot on it.
    fn line(width: usize, height: usize, row: f32, slope: f32) -> Mask {
        let mut mask = Mask::filled(width, height, false);
        for x in 0..width {
            let y = (row + slope * x as f32).round() as usize;
            (y - 1..=y + 1).for_each(|y| mask.set(x, y, true));
        }
        (width / 2..width / 2 + 9).for_each(|x| (0..height).for_each(|y| mask.set(x, y, true)));
        mask
    }

    #[test]
    fn a_line_is_where_its_ink_is() {
        for slope in [-0.06, 0.0, 0.013, 0.1] {
            let mask = line(120, 60, 30.0, slope);
            let about =
                Segment { row: 31.0, slope: slope + 0.015, first: 0, last: 119, thickness: 9 };
            let found = about.fitted(&mask, 2).expect("ink");
            assert!((found.slope - slope).abs() < 0.003, "{slope}: {}", found.slope);
            assert!((found.row - 30.0).abs() < 0.3 && found.thickness == 3, "{found:?}");
        }
        // Nothing is there.
        let far = Segment { row: 12.0, slope: 0.0, first: 0, last: 119, thickness: 3 };
        assert!(far.fitted(&line(120, 60, 30.0, 0.0), 2).is_none());
    }

    #[test]
    fn a_part_that_has_more_pixels_shows_the_same_line() {
        let whole = Segment { row: 20.0, slope: 0.05, first: 10, last: 60, thickness: 2 };
        // Each of its pixels is three by three, from column 30 and row 15 on.
        let part = whole.seen(3.0, (30.0, 15.0), 60).expect("the second half");
        assert_eq!((part.first, part.last, part.thickness), (0, 59, 6));
        // Its middle pixels lie in the middle of those of the whole.
        for column in [31, 40, 49] {
            let row = whole.row_at(column as f32);
            let seen = part.row_at((3 * (column - 30) + 1) as f32);
            assert!((seen - (3.0 * (row - 15.0) + 1.0)).abs() < 1e-3, "{row}: {seen}");
        }
        assert!(whole.seen(3.0, (70.0, 15.0), 60).is_none());
    }

    #[test]
    fn a_stroke_along_a_line_is_thicker_and_stays() {
        let mut mask = Mask::filled(60, 30, false);
        (0..60).for_each(|x| (10..13).for_each(|y| mask.set(x, y, true)));
        (20..40).for_each(|x| (13..15).for_each(|y| mask.set(x, y, true)));
        let line = Segment { row: 11.0, slope: 0.0, first: 0, last: 59, thickness: 3 };
        erase(&mut mask, &line);
        assert_eq!(mask.count(), 20 * 5);
    }
}
