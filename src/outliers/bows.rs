//! Figures of arcs and lines: what round letters and signs are made of.

use crate::outliers::shape::{Stroke, arc, between, chance, lean, point};
use crate::rng::Rng;

/// A figure with at least one arc.
pub(super) fn bows(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = match rng.below(5) {
        0 => open_arc(rng),
        1 => row(rng),
        2 => crossed_ring(rng),
        3 => rings(rng),
        _ => bowls(rng),
    };
    lean(&mut strokes, 0.2, 0.15, rng);
    strokes
}

/// An arc that is open to the right, below or above, and up to two lines. One
/// that is open to the left begins a 2, a 3 and a 9.
fn open_arc(rng: &mut Rng) -> Vec<Stroke> {
    let steps = 4 + rng.below(3);
    // The octant in the middle of the opening: right, below or above.
    let opening = [0, 2, 6][rng.below(3)];
    let first = (opening + (8 - steps).div_ceil(2)) % 8;
    // Half of a narrow ellipse would be a 1.
    let width = if steps == 4 { between(rng, 1.2, 1.8) } else { between(rng, 0.7, 1.3) };
    let bow = arc((0.0, 0.0), (width, 1.0), first, steps);
    let mut strokes = Vec::new();
    for _ in 0..rng.below(3) {
        let from = if chance(rng, 50) { bow[bow.len() - 1] } else { point(rng) };
        let (x, y) = point(rng);
        strokes.push(vec![from, (1.4 * x, 1.4 * y)]);
    }
    strokes.push(bow);
    strokes
}

/// Arches and cups side by side, some with posts.
fn row(rng: &mut Rng) -> Vec<Stroke> {
    let (count, height) = (2 + rng.below(3), between(rng, 0.6, 1.8));
    let is_alternating = chance(rng, 40);
    let first = 4 * rng.below(2);
    let mut strokes: Vec<Stroke> = Vec::new();
    for index in 0..count {
        let x = 2.0 * index as f32;
        let start = if is_alternating { (first + 4 * index) % 8 } else { first };
        strokes.push(arc((x, 0.0), (1.0, height), start, 4));
        if chance(rng, 40) {
            let length = between(rng, 0.5, 2.0);
            strokes.push(vec![(x + 1.0, -length), (x + 1.0, length)]);
        }
    }
    strokes
}

/// A ring and lines through it that go on outside.
fn crossed_ring(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = vec![arc((0.0, 0.0), (between(rng, 0.9, 1.5), 1.0), 0, 8)];
    for _ in 0..1 + rng.below(2) {
        let (x, y) = if chance(rng, 50) { (0.0, 1.0) } else { (1.0, rng.uniform(0.6)) };
        let (near, far) = (between(rng, 1.3, 2.2), between(rng, 1.3, 2.2));
        let shift = rng.uniform(0.3);
        strokes.push(vec![(shift - near * x, -near * y), (shift + far * x, far * y)]);
    }
    strokes
}

/// Two or three rings side by side, or one in another.
fn rings(rng: &mut Rng) -> Vec<Stroke> {
    let height = between(rng, 0.7, 1.4);
    if chance(rng, 30) {
        let inner = between(rng, 0.25, 0.6);
        return vec![
            arc((0.0, 0.0), (1.0, height), 0, 8),
            arc((rng.uniform(0.2), rng.uniform(0.2)), (inner, inner * height), 0, 8),
        ];
    }
    let (count, step) = (2 + rng.below(2), between(rng, 1.0, 2.4));
    let ring = |index| {
        let radius = between(rng, 0.6, 1.1);
        arc((step * index as f32, rng.uniform(0.2)), (radius, radius * height), 0, 8)
    };
    (0..count).map(ring).collect()
}

/// A post with one or two bowls, and maybe a leg.
fn bowls(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = vec![vec![(0.0, -1.0), (0.0, 1.0)]];
    let width = between(rng, 0.6, 1.2);
    // The right half of an ellipse begins above, in octant 6; its left half below.
    let bowl = |side: f32, y: f32, half: f32| {
        arc((0.0, y), (width, half), if side > 0.0 { 6 } else { 2 }, 4)
    };
    match rng.below(5) {
        // P and d; their mirror images are a 9 and a 6.
        0 => strokes.push(bowl(1.0, -0.5, 0.5)),
        1 => strokes.push(bowl(-1.0, 0.5, 0.5)),
        // D, wide or narrow, from end to end.
        2 => strokes.push(bowl(1.0, 0.0, 1.0)),
        // B.
        3 => strokes.extend([bowl(1.0, -0.5, 0.5), bowl(1.0, 0.5, 0.5)]),
        _ => {
            strokes.push(bowl(1.0, -0.5, 0.5));
            let knee = if chance(rng, 50) { 0.0 } else { width / 2.0 };
            strokes.push(vec![(knee, 0.0), (width * between(rng, 0.8, 1.4), 1.0)]);
        }
    }
    strokes
}
