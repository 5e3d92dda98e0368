//! What remains of paper without a digit: speckles, clouds, blots and dots.

use crate::digit_image::PIXELS;
use crate::outliers::frame::frame;
use crate::outliers::shape::{between, chance, direction};
use crate::rng::Rng;

/// Rows and columns of the picture, large enough to blur and scale.
const PAPER: usize = 40;

/// Noise or blots, never narrow and upright, which would be a 1.
pub(super) fn blots(rng: &mut Rng) -> [f32; PIXELS] {
    let mut paper = if chance(rng, 50) { noise(rng) } else { spots(rng) };
    if paper.iter().all(|&ink| ink <= 0.0) {
        paper = spots(rng);
    }
    for _ in 0..rng.below(3) {
        blur(&mut paper);
    }
    frame(&paper, PAPER)
}

/// Noise above a threshold, within a part of the paper, grainy or cloudy.
fn noise(rng: &mut Rng) -> Vec<f32> {
    let mut paper: Vec<f32> = (0..PAPER * PAPER).map(|_| between(rng, 0.0, 1.0)).collect();
    for _ in 0..rng.below(7) {
        blur(&mut paper);
    }
    let mut sorted = paper.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    // The share of the paper that stays blank.
    let blank = between(rng, 0.3, 0.98);
    let threshold = sorted[(blank * (PAPER * PAPER) as f32) as usize];
    let contrast = between(rng, 1.0, 20.0) / (sorted[PAPER * PAPER - 1] - threshold).max(1e-3);
    let (width, height) = (PAPER / 2 + rng.below(PAPER / 2), PAPER / 2 + rng.below(PAPER / 2));
    let is_round = chance(rng, 40);
    for (index, ink) in paper.iter_mut().enumerate() {
        let along = |place: usize, size: usize| (2 * place + 1) as f32 / size as f32 - 1.0;
        let (x, y) = (along(index % PAPER, width), along(index / PAPER, height));
        let is_inside = if is_round { x * x + y * y < 1.0 } else { x < 1.0 && y < 1.0 };
        let value = if is_inside { (*ink - threshold) * contrast } else { 0.0 };
        *ink = value.clamp(0.0, 1.0);
    }
    paper
}

/// One to eight spots, hard or soft, of any size.
fn spots(rng: &mut Rng) -> Vec<f32> {
    let mut paper = vec![0.0; PAPER * PAPER];
    let count = 1 + rng.below(8);
    // The power of the ellipse: a rhombus, an ellipse or nearly a rectangle.
    let power = 1 + rng.below(3);
    let softness = between(rng, 0.05, 1.0);
    for _ in 0..count {
        let (x, y) = (between(rng, 12.0, 28.0), between(rng, 12.0, 28.0));
        let (long, darkness) = (between(rng, 4.0, 11.0), between(rng, 0.4, 1.0));
        let short = long * between(rng, 0.6, 1.0);
        let (cosine, sine) = if count == 1 { (1.0, 0.0) } else { direction(rng) };
        for (index, ink) in paper.iter_mut().enumerate() {
            let (dx, dy) = ((index % PAPER) as f32 - x, (index / PAPER) as f32 - y);
            let (u, v) = ((cosine * dx + sine * dy) / long, (cosine * dy - sine * dx) / short);
            let raised = |value: f32| (0..power).fold(1.0, |product, _| product * value.abs());
            let distance = raised(u) + raised(v);
            let value = darkness * ((1.0 - distance) / softness).clamp(0.0, 1.0);
            *ink = f32::max(*ink, value);
        }
    }
    paper
}

/// The mean of each pixel and its eight neighbours; there are none outside.
fn blur(paper: &mut [f32]) {
    for (step, lines) in [(1, PAPER), (PAPER, 1)] {
        for line in 0..PAPER {
            let at = |place: usize| line * lines + place * step;
            let mut before = 0.0;
            for place in 0..PAPER {
                let value = paper[at(place)];
                let after = if place + 1 < PAPER { paper[at(place + 1)] } else { 0.0 };
                paper[at(place)] = (before + value + after) / 3.0;
                before = value;
            }
        }
    }
}
