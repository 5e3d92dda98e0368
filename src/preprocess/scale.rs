//! Finding the ink, at the scale of its strokes and in its polarity.

use crate::error::{Error, Result};
use crate::preprocess::contrast::{Polarity, contrast};
use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::threshold::{Level, hysteresis, level};

/// The windows in which paper is looked for around strokes, as shares of the
/// picture's shorter side.
const WINDOWS: [f32; 4] = [0.08, 0.16, 0.32, 0.6];

/// An end of ink that fades weighs as much as this many edges.
const OPEN: f32 = 2.0;

/// A larger scale must have more edges by this factor.
const GROWTH: f32 = 1.05;

/// The least contrast of ink.
const MIN_CONTRAST: f32 = 0.04;

/// The least contrast of ink, in deviations of the noise.
const MIN_SIGNAL: f32 = 5.0;

/// Ink at one scale, in one polarity.
pub(super) struct Inked {
    pub(super) polarity: Polarity,
    pub(super) contrast: Plane,
    pub(super) level: Level,
    pub(super) mask: Mask,
    pub(super) radius: usize,
    /// How many edges of strokes there are, weighted by contrast.
    edges: f32,
}

/// The ink at the scale, and in the polarity, at which strokes have most edges.
pub(super) fn find(plane: &Plane, shaded: bool, polarity: Option<Polarity>) -> Result<Inked> {
    let light = plane.map(|value| 255.0 - value);
    let side = plane.shorter_side() as f32;
    let mut best: Option<Inked> = None;
    let mut found = 0.0_f32;
    let mut last = 0;
    for window in WINDOWS {
        let radius = ((side * window / 2.0) as usize).max(1);
        if radius == last {
            continue;
        }
        last = radius;
        let mut better = false;
        for (candidate, plane) in [(Polarity::Dark, plane), (Polarity::Light, &light)] {
            if polarity.is_some_and(|polarity| polarity != candidate) {
                continue;
            }
            match inked(plane, radius, shaded && candidate == Polarity::Dark, candidate) {
                Err(contrast) => found = found.max(contrast),
                Ok(inked) => {
                    if best.as_ref().is_none_or(|best| inked.edges > (GROWTH * best.edges).max(best.edges)) {
                        best = Some(inked);
                        better = true;
                    }
                }
            }
        }
        if false && best.is_some() && !better {
            break;
        }
    }
    best.ok_or(Error::NoInk { expected: MIN_CONTRAST, found })
}

fn inked(
    plane: &Plane,
    radius: usize,
    shaded: bool,
    polarity: Polarity,
) -> std::result::Result<Inked, f32> {
    let mut contrast = contrast(plane, radius, shaded);
    let level = level(&mut contrast);
    if level.ink < MIN_CONTRAST || level.ink < MIN_SIGNAL * level.noise {
        return Err(level.ink);
    }
    let mask = hysteresis(&contrast, level);
    let edges = edges(plane, &mask, radius)
        + edges(&plane.transposed(), &mask.transposed(), radius);
    let edges = edges * level.ink * paper_around(&mask);
    Ok(Inked { polarity, contrast, edges, level, mask, radius })
}

/// The ends of horizontal runs of ink beside which there is paper, less those
/// beside which there is none: the first are strokes', the second are where a
/// wide dark area fades.
fn edges(plane: &Plane, mask: &Mask, radius: usize) -> f32 {
    let beside = (radius / 2).max(2);
    let mut edges = 0.0;
    for y in 0..mask.height {
        let (row, values) = (mask.row(y), plane.row(y));
        let mut x = 0;
        while x < row.len() {
            if !row[x] {
                x += 1;
                continue;
            }
            let start = x;
            while x < row.len() && row[x] {
                x += 1;
            }
            let darkest = values[start..x].iter().copied().fold(f32::MAX, f32::min);
            let before = start.checked_sub(beside).map(|at| values[at]);
            let after = values.get(x - 1 + beside).copied();
            let brightest = before.unwrap_or(f32::MIN).max(after.unwrap_or(f32::MIN));
            for end in [before, after].into_iter().flatten() {
                let paper = end - darkest >= 0.4 * (brightest - darkest);
                edges += if paper { 1.0 } else { -OPEN };
            }
        }
    }
    edges
}

/// How much the picture's rim looks like paper, 0 to 1: paper has most of the
/// corners, of the border and of the area.
fn paper_around(mask: &Mask) -> f32 {
    let (right, bottom) = (mask.width - 1, mask.height - 1);
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)];
    let corners = corners.iter().filter(|&&(x, y)| mask.at(x, y)).count();
    let share = |inked: usize, of: usize| 1.0 - inked as f32 / of as f32;
    let area = mask.values.iter().filter(|ink| **ink).count();
    let rows = (0..=bottom).map(|y| [mask.at(0, y), mask.at(right, y)]);
    let columns = (0..=right).map(|x| [mask.at(x, 0), mask.at(x, bottom)]);
    let border = rows.chain(columns).flatten().filter(|ink| *ink).count();
    share(area, mask.values.len())
        * share(border, 2 * (mask.width + mask.height))
        * [1.0, 0.5, 0.25, 0.125, 0.0625][corners]
}
