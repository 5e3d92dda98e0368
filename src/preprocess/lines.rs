//! Long straight lines: ruled and squared paper, a form's printed box.

use crate::preprocess::grid::{Mask, quantile};
use crate::preprocess::stroke::Bounds;

/// Lines lean by at most this slope, 8 degrees.
const STEEPEST: f32 = 0.14;

/// A line is at least this long, as a share of the picture's shorter side.
const SHORTEST: f32 = 0.2;

/// A line is at most this thick, as a share of the picture's shorter side.
const THICKEST: f32 = 0.045;

/// What is as long as this share of the picture's side passes through it.
const THROUGH: f32 = 0.75;

/// In pictures whose shorter side is less there are no lines: a stroke would be
/// as thin as one.
const LEAST_SIDE: usize = 40;

/// The slopes of parallel lines in a photo differ by less.
const PARALLEL: f32 = 0.05;
const SEVERAL: usize = 3;

/// Where more of the picture than this share is thin, it is texture.
const TEXTURE: f32 = 0.3;

/// Candidates that are looked at, at most.
const MOST_PEAKS: usize = 600;

/// A line has ink along at least this share of its length.
const DENSEST_GAPS: f32 = 0.8;

/// A straight piece of a line, along the columns of a mask.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The row at column 0, and how much it grows with each column.
    row: f32,
    slope: f32,
    /// The first and last column.
    first: usize,
    last: usize,
    /// The usual number of rows that it takes.
    thickness: usize,
}

impl Segment {
    fn length(&self) -> usize {
        self.last + 1 - self.first
    }

    /// Whether this line, of the other family, passes by an end of a segment.
    fn meets(&self, segment: &Self, end: usize, near: f32) -> bool {
        let row = segment.row_at(end);
        let column = self.row_at(row.max(0.0) as usize);
        (column - end as f32).abs() <= near
            && row >= self.first as f32 - near
            && row <= self.last as f32 + near
    }

    fn row_at(&self, column: usize) -> f32 {
        self.row + self.slope * column as f32
    }
}

/// The lines of a picture: those along the columns, and those along the rows.
pub(super) struct Lines {
    /// Lines that pass through the picture.
    through: [Vec<Segment>; 2],
    /// Sides of boxes.
    sides: [Vec<Segment>; 2],
}

impl Lines {
    /// Finds the lines in a mask.
    ///
    /// A line ends at the picture's border or at another line; a stroke of a
    /// digit, however straight, has a free end.
    ///
    /// # Source
    /// Duda, Hart, *Use of the Hough transformation to detect lines and curves in
    /// pictures* (Communications of the ACM, 1972), with slope and intercept.
    pub(super) fn find(mask: &Mask) -> Self {
        if mask.shorter_side() < LEAST_SIDE {
            return Self { through: [const { Vec::new() }; 2], sides: [const { Vec::new() }; 2] };
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

    /// Erases the lines from a mask, and leaves what crosses them: where the ink
    /// across a line is thicker than the line.
    ///
    /// # Source
    /// As staff lines are erased: Dalitz, Droettboom, Pranzas, Fujinaga, *A
    /// comparative study of staff removal algorithms* (IEEE Transactions on
    /// Pattern Analysis and Machine Intelligence, 2008).
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

/// The straight pieces along the columns.
fn segments(mask: &Mask, across: &Mask, thickest: usize) -> Vec<Segment> {
    let (width, height) = (mask.width, mask.height);
    let shortest = ((mask.shorter_side() as f32 * SHORTEST) as usize).max(8);
    // One step of the slope moves the end of a line by two pixels, half of which
    // a line's own tolerance takes.
    let steps = (STEEPEST * width as f32 / 2.0) as usize;
    let slopes: Vec<f32> =
        (0..=2 * steps).map(|j| 2.0 * (j as f32 - steps as f32) / width as f32).collect();
    let votes = thin(mask, across, thickest);
    let inked = votes.values.iter().filter(|vote| **vote).count();
    if inked as f32 > TEXTURE * votes.values.len() as f32 {
        return Vec::new();
    }
    if inked < shortest / 2 {
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
        let (first, mut last, mut hits, mut fresh) = (x, x, 0, 0);
        while x < width && x - last <= longest_gap {
            if let Some(y) = near(x).find(|&y| mask.at(x, y)) {
                (last, hits) = (x, hits + 1);
                fresh += usize::from(free.at(x, y));
            }
            x += 1;
        }
        x = x.max(first + 1);
        let length = last - first + 1;
        if length < shortest || (hits as f32) < DENSEST_GAPS * length as f32 || 2 * fresh < length {
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
                let anchored = |end: usize| {
                    let at_border = end < border || end + border >= length;
                    at_border || others.iter().any(|other| other.meets(segment, end, near(other)))
                };
                if !(anchored(segment.first) && anchored(segment.last)) {
                    return false;
                }
                if segment.length() as f32 >= THROUGH * length as f32 {
                    return true;
                }
                let paired = these.iter().any(|other| {
                    let apart = |a: usize, b: usize| {
                        a.abs_diff(b) as f32 <= near(segment) + STEEPEST * segment.length() as f32
                    };
                    let middle = (segment.first + segment.last) / 2;
                    let beside = (other.row_at(middle) - segment.row_at(middle)).abs();
                    beside > 2.0 * near(segment)
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

/// Erases a segment where nothing crosses it.
fn erase(mask: &mut Mask, segment: &Segment) {
    let thickest = segment.thickness + segment.thickness.div_ceil(2);
    for x in segment.first.saturating_sub(2)..=(segment.last + 2).min(mask.width - 1) {
        let middle = segment.row_at(x);
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
