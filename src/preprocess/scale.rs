//! Finding the ink, at the scale of its strokes and in its polarity.

use crate::error::{Error, Result};
use crate::preprocess::bounds::Bounds;
use crate::preprocess::contrast::{Contrast, LEAST_BRIGHTNESS, Polarity};
use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::lines::Lines;
use crate::preprocess::mean::box_mean;
use crate::preprocess::morphology::{larger, smaller};
use crate::preprocess::separation::separated;
use crate::preprocess::threshold::{Level, candidates, faint, level};

/// The windows in which paper is looked for around strokes, as shares of the
/// picture's shorter side.
const WINDOWS: [f32; 4] = [0.08, 0.16, 0.32, 0.6];

/// Strokes of a tiny picture are still some pixels wide.
const LEAST_RADIUS: usize = 4;

/// The skewness of brightnesses of which one has an eighth of the picture; the
/// digit is that one.
const SKEWED: f64 = 2.2;

/// An end of ink that fades weighs as much as this many edges.
const OPEN: f32 = 2.0;

/// Beside an edge the paper is brighter by this share of the ink's depth.
const EDGE: f32 = 0.4;

/// The least contrast of ink.
const MIN_CONTRAST: f32 = 0.02;

/// The least contrast of ink, in deviations of the noise. Noise alone comes to 5.5.
const MIN_SIGNAL: f32 = 6.0;

/// Ink at one scale, in one polarity.
pub(super) struct Inked {
    pub(super) polarity: Polarity,
    pub(super) contrast: Plane,
    pub(super) level: Level,
    /// All the ink, and that of the digit.
    pub(super) mask: Mask,
    pub(super) digit: Mask,
    /// The lines that were looked for.
    pub(super) lines: Lines,
}

/// Ink that is compared with that of other scales and of the other polarity.
struct Candidate {
    inked: Inked,
    /// How many edges of strokes there are, weighted by their depth.
    edges: f32,
    /// The mean depth of the digit.
    depth: f32,
}

impl Inked {
    fn erase(&mut self, lines: &Lines) {
        if !lines.is_empty() {
            let candidates = candidates(&self.contrast, self.level);
            (self.mask, self.digit) = separated(&candidates, lines, &self.contrast, self.level);
            self.lines = lines.clone();
        }
    }
}

/// What is known of a working picture from another one.
pub(super) struct Known {
    /// Where the digit is within.
    pub(super) digit: Mask,
    /// The lines of the other picture.
    pub(super) lines: Lines,
    /// How many times as many pixels this one has, and where in that its first
    /// column and row are.
    pub(super) scale: f32,
    pub(super) start: (f32, f32),
}

/// A working picture in which ink is looked for.
pub(super) struct Scene<'a> {
    /// Values along the colour axis, and the deviation of their noise.
    pub(super) plane: &'a Plane,
    pub(super) noise: f32,
    /// Whether the values are brightnesses.
    pub(super) shaded: bool,
    /// Where the digit and the lines are, if that is known.
    pub(super) known: Option<&'a Known>,
    /// The polarity, if that is known.
    pub(super) polarity: Option<Polarity>,
}

/// The ink where the paper has one brightness all over.
pub(super) fn on_plain_paper(scene: &Scene) -> Option<Inked> {
    let (contrast, found) = Contrast::on_plain_paper(scene.plane)?;
    if scene.polarity.is_some_and(|polarity| polarity != found) {
        return None;
    }
    let view = View { noise: 0.0, polarity: found, known: scene.known };
    inked(contrast, &view, &mut None).ok()
}

/// The ink in the polarity, and at the scale, at which strokes have most edges.
pub(super) fn find(scene: &Scene) -> Result<Inked> {
    let mut blank = Blank { needed: MIN_CONTRAST, found: 0.0 };
    let mut keep = |result: std::result::Result<Inked, Blank>| match result {
        Ok(inked) => Some(inked),
        Err(found) => {
            blank = if found.found > blank.found { found } else { blank };
            None
        }
    };
    let [brightness] = scene.plane.quantiles([0.5]);
    let mut at_best_scale = |polarity: Polarity| -> Option<Candidate> {
        let (plane, shaded) = match polarity {
            Polarity::Dark => (scene.plane.clone(), scene.shaded),
            Polarity::Light => (scene.plane.map(|value| 255.0 - value), false),
        };
        let side = plane.shorter_side() as f32;
        let mut radii =
            WINDOWS.map(|window| ((side * window / 2.0) as usize).max(LEAST_RADIUS)).to_vec();
        radii.dedup();
        let full = if shaded { brightness.max(LEAST_BRIGHTNESS) } else { 255.0 };
        let view = View { noise: scene.noise / full, polarity, known: scene.known };
        let mut best: Option<Candidate> = None;
        let mut lines = None;
        for radius in radii {
            let Contrast { share, depth } = Contrast::by_top_hat(&plane, radius, shaded);
            if let Some(inked) = keep(inked(share, &view, &mut lines)) {
                let candidate = Candidate::new(inked, &plane, &depth, (radius / 2).max(2));
                if best.as_ref().is_none_or(|best| candidate.edges > best.edges) {
                    best = Some(candidate);
                }
            }
        }
        // Those between wide strokes are seen where the strokes are.
        if let Some(Candidate { inked: best, .. }) = &mut best
            && scene.known.is_none()
            && lines.as_ref().is_some_and(Lines::is_empty)
        {
            let candidates = candidates(&best.contrast, best.level);
            best.erase(&Lines::find(&faint(&best.contrast, best.level), &candidates));
        }
        best
    };
    let best = match scene.polarity {
        Some(polarity) => at_best_scale(polarity),
        None => match rarer(scene.plane).and_then(&mut at_best_scale) {
            Some(inked) => Some(inked),
            None => match (at_best_scale(Polarity::Dark), at_best_scale(Polarity::Light)) {
                (Some(dark), Some(light)) => Some(if is_ink(&dark, &light) { dark } else { light }),
                (dark, light) => dark.or(light),
            },
        },
    };
    best.map(|best| best.inked).ok_or(Error::NoInk { expected: blank.needed, found: blank.found })
}

/// Too little contrast for ink.
#[derive(Clone, Copy)]
struct Blank {
    needed: f32,
    found: f32,
}

/// A scene in one polarity: ink is dark in its plane.
struct View<'a> {
    /// As a share of the paper's brightness.
    noise: f32,
    polarity: Polarity,
    known: Option<&'a Known>,
}

/// The ink in contrast with the paper; `lines` are looked for if they are not known.
fn inked(
    mut contrast: Plane,
    view: &View,
    lines: &mut Option<Lines>,
) -> std::result::Result<Inked, Blank> {
    let &View { noise, polarity, known } = view;
    let within = known.map(|known| &known.digit);
    let level = level(&mut contrast, noise, within);
    let needed = MIN_CONTRAST.max(MIN_SIGNAL * level.noise);
    if level.ink < needed {
        return Err(Blank { needed, found: level.ink });
    }
    let candidates = candidates(&contrast, level);
    // Lines are thin: they are the same at every scale.
    let lines = lines.get_or_insert_with(|| match known {
        None => Lines::find(&faint(&contrast, level), &candidates),
        Some(Known { lines, scale, start, .. }) => lines.seen(*scale, *start, &candidates),
    });
    let candidates = both(candidates, within);
    let (mask, digit) = separated(&candidates, lines, &contrast, level);
    Ok(Inked { polarity, contrast, level, mask, digit, lines: lines.clone() })
}

impl Candidate {
    /// Paper is looked for `beside` as many pixels from an edge.
    fn new(inked: Inked, plane: &Plane, depth: &Plane, beside: usize) -> Self {
        let digit = &inked.digit;
        let (width, height) = (digit.width, digit.height);
        let rows = Lie { lines: height, to_line: width, length: width, to_next: 1 };
        let columns = Lie { lines: width, to_line: 1, length: height, to_next: width };
        let edges = edges(plane, depth, digit, &rows, beside)
            + edges(plane, depth, digit, &columns, beside);
        let (mut count, mut sum) = (0, 0.0);
        for (_, depth) in digit.values.iter().zip(&depth.values).filter(|(ink, _)| **ink) {
            count += 1;
            sum += depth;
        }
        let depth = sum / count.max(1) as f32;
        Self { inked, edges: edges * depth * depth, depth }
    }
}

/// What is in a mask, and in the other one if there is one.
fn both(mut mask: Mask, within: Option<&Mask>) -> Mask {
    if let Some(within) = within {
        mask.values.iter_mut().zip(&within.values).for_each(|(ink, &within)| *ink &= within);
    }
    mask
}

/// How the rows, or the columns, of a grid lie in its values.
struct Lie {
    /// How many there are, and from one to the next.
    lines: usize,
    to_line: usize,
    /// The pixels of each, and from one to the next.
    length: usize,
    to_next: usize,
}

/// The ends of runs of ink beside which there is paper, less those beside which
/// there is none: the first are strokes', the second are where a wide dark area
/// fades.
fn edges(plane: &Plane, depth: &Plane, mask: &Mask, lie: &Lie, beside: usize) -> f32 {
    let mut edges = 0.0;
    for line in 0..lie.lines {
        let place = |at: usize| line * lie.to_line + at * lie.to_next;
        let mut at = 0;
        while at < lie.length {
            if !mask.values[place(at)] {
                at += 1;
                continue;
            }
            let start = at;
            let (mut darkest, mut deepest) = (f32::MAX, 0.0);
            while at < lie.length && mask.values[place(at)] {
                darkest = smaller(darkest, plane.values[place(at)]);
                deepest = larger(deepest, depth.values[place(at)]);
                at += 1;
            }
            let before = start.checked_sub(beside);
            let after = Some(at - 1 + beside).filter(|&at| at < lie.length);
            for end in [before, after].into_iter().flatten() {
                let paper = plane.values[place(end)] - darkest >= EDGE * deepest;
                edges += if paper { 1.0 } else { -OPEN };
            }
        }
    }
    edges
}

/// Whether the first is the ink, and the other is the paper between its strokes.
fn is_ink(one: &Candidate, other: &Candidate) -> bool {
    let surrounds = |a: &Candidate, b: &Candidate| {
        let bounds = Bounds::of(&a.inked.digit).zip(Bounds::of(&b.inked.digit));
        let sparse = |bounds: &Bounds| 2 * a.inked.digit.count() <= bounds.area();
        2.0 * a.depth >= b.depth
            && 2.0 * a.edges >= b.edges
            && bounds.is_some_and(|(a, b)| a.surrounds(&b) && sparse(&a))
    };
    let votes = |one: &Candidate| one.edges * paper_around(&one.inked.mask);
    surrounds(one, other) || (!surrounds(other, one) && votes(one) >= votes(other))
}

/// The polarity of what is much rarer than the brightness beside it, where
/// something is.
///
/// Of two brightnesses side by side, the differences from the mean around are
/// skewed towards the rarer one; slopes and straight edges of shadows are skewed
/// to neither side.
///
/// # Source
/// Skewness: Cramér, *Mathematical methods of statistics* (1946), section 15.8.
fn rarer(plane: &Plane) -> Option<Polarity> {
    let around = box_mean(plane, (plane.shorter_side() / 4).max(1));
    let (mut second, mut third) = (0.0_f64, 0.0_f64);
    for (value, mean) in plane.values.iter().zip(&around.values) {
        let difference = f64::from(value - mean);
        second += difference * difference;
        third += difference * difference * difference;
    }
    let count = plane.values.len() as f64;
    let variance = second / count;
    let skewness = third / count / (variance * variance.sqrt()).max(f64::MIN_POSITIVE);
    if skewness <= -SKEWED {
        Some(Polarity::Dark)
    } else if skewness >= SKEWED {
        Some(Polarity::Light)
    } else {
        None
    }
}

/// How much the picture's rim looks like paper, 0 to 1: paper has most of the
/// corners, of the border and of the area.
fn paper_around(mask: &Mask) -> f32 {
    let (right, bottom) = (mask.width - 1, mask.height - 1);
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)];
    let corners = corners.iter().filter(|&&(x, y)| mask.at(x, y)).count();
    let share = |inked: usize, of: usize| 1.0 - inked as f32 / of as f32;
    let rows = (0..=bottom).map(|y| [mask.at(0, y), mask.at(right, y)]);
    let columns = (0..=right).map(|x| [mask.at(x, 0), mask.at(x, bottom)]);
    let border = rows.chain(columns).flatten().filter(|ink| *ink).count();
    share(mask.count(), mask.values.len())
        * share(border, 2 * (mask.width + mask.height))
        * [1.0, 0.5, 0.25, 0.125, 0.0625][corners]
}
