//! Straight pieces of lines.

use crate::preprocess::grid::Mask;

/// Lines lean by at most this slope, 8 degrees.
pub(super) const STEEPEST: f32 = 0.14;

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
    let near = |x: usize| {
        let middle = row + slope * x as f32;
        [0.0, -1.0, 1.0]
            .map(|offset| (middle + offset).round())
            .into_iter()
            .filter_map(move |y| (y >= 0.0 && y < height as f32).then_some(y as usize))
    };
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
        let mut runs: Vec<usize> = (first..=last)
            .filter_map(|x| near(x).find(|&y| mask.at(x, y)).map(|y| run(mask, x, y)))
            .map(|(top, bottom)| bottom - top + 1)
            .collect();
        let middle = runs.len() / 2;
        let thickness = *runs.select_nth_unstable(middle).1;
        if thickness > thickest {
            continue;
        }
        let segment = Segment { row, slope, first, last, thickness };
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
    let thickest = segment.thickness + segment.thickness.div_ceil(2);
    for x in segment.first.saturating_sub(2)..=(segment.last + 2).min(mask.width - 1) {
        let middle = segment.row_at(x as f32);
        for offset in [0.0, -1.0, 1.0] {
            let y = (middle + offset).round();
            if y < 0.0 || y >= mask.height as f32 || !mask.at(x, y as usize) {
                continue;
            }
            let (top, bottom) = run(mask, x, y as usize);
            if bottom - top < thickest {
                (top..=bottom).for_each(|y| mask.set(x, y, false));
            }
        }
    }
}
