//! Which contrast is ink.

use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::labels::{Connectivity, label};
use crate::preprocess::noise::deviation;

/// Contrast below this many deviations of the noise is noise: among a working
/// picture's 36,864 pixels, Gaussian noise exceeds it about once.
const NOISE: f32 = 4.0;

/// A pixel is ink from this share of the full contrast on if it touches ink
/// from [`HIGH`] on.
const LOW: f32 = 0.25;

/// Lines are looked for from this share of the full contrast on: nearer to the noise of
/// a JPEG there are more of them that are none.
const FAINT: f32 = 0.125;

/// Ink for certain: the middle of a stroke's soft edge.
const HIGH: f32 = 0.5;

/// At least this share of a picture is paper.
const PAPER: f32 = 0.25;

/// Between its lowest eighth and its lowest quarter, Gaussian noise spreads over so
/// many deviations: 1.150 − 0.674.
const SPREAD: f32 = 0.476;

/// The contrast of ink, and its deviation on paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) ink: f32,
    pub(super) noise: f32,
}

/// Moves the paper's contrast to 0, and measures the ink's. Its noise is at least
/// `noise`, as what was smoothed looks less noisy than it is; and what the paper's
/// contrast spreads over, as the grain of paper is coarser than single pixels. Only what
/// is `within` counts as ink.
///
/// The ink's is the mean weighted by contrast of all that is above noise, so
/// that faint things count less.
pub(super) fn level(contrast: &mut Plane, noise: f32, within: Option<&Mask>) -> Level {
    let [half, paper] = contrast.quantiles([PAPER / 2.0, PAPER]);
    let spread = (paper - half) / SPREAD;
    let noise = deviation(contrast).max(noise).max(spread);
    contrast.values.iter_mut().for_each(|value| *value = (*value - paper).max(0.0));
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, &value) in contrast.values.iter().enumerate() {
        if value > NOISE * noise && within.is_none_or(|within| within.values[at]) {
            sum += value;
            squares += value * value;
        }
    }
    Level { ink: if sum > 0.0 { squares / sum } else { 0.0 }, noise }
}

/// What may be ink: pixels above a low threshold.
pub(super) fn candidates(contrast: &Plane, level: Level) -> Mask {
    above(LOW, contrast, level)
}

/// What may be lines: they may be fainter than ink.
pub(super) fn faint(contrast: &Plane, level: Level) -> Mask {
    above(FAINT, contrast, level)
}

fn above(share: f32, contrast: &Plane, level: Level) -> Mask {
    let low = (share * level.ink).max(NOISE * level.noise).min(high(level));
    contrast.map(|value| value >= low && value > 0.0)
}

/// The ink: candidates that are connected to one above a high threshold.
///
/// # Source
/// Hysteresis: Canny, *A computational approach to edge detection* (IEEE
/// Transactions on Pattern Analysis and Machine Intelligence, 1986).
pub(super) fn hysteresis(candidates: &Mask, contrast: &Plane, level: Level) -> Mask {
    let high = high(level);
    let labels = label(candidates, Connectivity::Eight);
    let mut certain = vec![false; labels.count + 1];
    for (&label, &value) in labels.of.values.iter().zip(&contrast.values) {
        if label > 0 && value >= high {
            certain[label as usize] = true;
        }
    }
    labels.of.map(|label| certain[label as usize])
}

fn high(level: Level) -> f32 {
    (HIGH * level.ink).max(NOISE * level.noise).min(0.9 * level.ink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_plane;
    use crate::preprocess::mean::box_mean;

    #[test]
    fn grain_is_not_ink_beside_a_faint_line() {
        // Grain of several pixels, that an operator of 3×3 hardly sees.
        let grain = box_mean(&random_plane(120, 120, 1), 2);
        let mut contrast = grain.map(|value| 0.3 * (value - 0.5) + 0.2);
        for y in 20..100 {
            contrast.set(60, y, contrast.at(60, y) + 0.4);
        }
        let level = level(&mut contrast, 0.0, None);
        let ink = candidates(&contrast, level);
        let (on, off): (Vec<usize>, Vec<usize>) =
            (0..120 * 120).filter(|&at| ink.values[at]).partition(|at| at % 120 == 60);
        assert!(on.len() >= 80 && off.len() <= 5, "{} and {}", on.len(), off.len());
    }
}
