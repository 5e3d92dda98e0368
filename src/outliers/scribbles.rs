//! Scribbles: random walks, hatching, spirals, waves and blots of ink.

use crate::outliers::shape::{Point, Stroke, arc, between, chance, direction, lean, point, smooth};
use crate::rng::Rng;

/// A scribble, of any direction.
pub(super) fn scribbles(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = match rng.below(8) {
        0 => hatching(rng),
        1 => spiral(rng),
        2 => wave(rng),
        3 => loops(rng),
        4 => blot(rng),
        5 => short_strokes(rng),
        _ => walk(rng),
    };
    let stretch = between(rng, 0.6, 1.4);
    strokes.iter_mut().flatten().for_each(|(x, _)| *x *= stretch);
    lean(&mut strokes, 0.4, 0.4, rng);
    strokes
}

/// One or two lines through random points, round or angular, some of them closed.
fn walk(rng: &mut Rng) -> Vec<Stroke> {
    let lines = 1 + rng.below(2);
    let line = |_| {
        // Fewer points make digits by chance.
        let mut points: Vec<Point> = (0..7 + rng.below(8)).map(|_| point(rng)).collect();
        if chance(rng, 40) {
            points.push(points[0]);
        }
        if chance(rng, 75) { smooth(&points) } else { points }
    };
    (0..lines).map(line).collect()
}

/// Parallel lines, or two sheaves of them.
fn hatching(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    for _ in 0..1 + rng.below(2) {
        let (x, y) = direction(rng);
        let count = 3 + rng.below(5);
        for index in 0..count {
            let across = 2.0 * index as f32 / (count - 1) as f32 - 1.0 + rng.uniform(0.1);
            let (back, forth) = (between(rng, 0.6, 1.1), between(rng, 0.6, 1.1));
            strokes.push(vec![
                (across * -y - back * x, across * x - back * y),
                (across * -y + forth * x, across * x + forth * y),
            ]);
        }
    }
    strokes
}

/// Two to four turns outwards.
fn spiral(rng: &mut Rng) -> Vec<Stroke> {
    let (steps, first, side) = (16 + rng.below(17), rng.below(8), rng.below(2));
    let point = |step: usize| {
        let octant = if side == 0 { first + step } else { first + 64 - step };
        let radius = (step + 1) as f32 + rng.uniform(0.5);
        arc((0.0, 0.0), (radius, radius), octant, 0)[0]
    };
    vec![smooth(&(0..steps).map(point).collect::<Vec<_>>())]
}

/// Waves, one below the other.
fn wave(rng: &mut Rng) -> Vec<Stroke> {
    let (count, height) = (5 + rng.below(6), between(rng, 0.4, 1.5));
    let line = |line: usize| {
        let point = |index: usize| {
            let y = if index.is_multiple_of(2) { height } else { -height };
            let jitter = rng.uniform(0.3);
            (index as f32 + jitter, 2.5 * line as f32 * height + y + rng.uniform(0.3))
        };
        smooth(&(0..count).map(point).collect::<Vec<_>>())
    };
    (0..1 + count % 3).map(line).collect()
}

/// Loops in a row, as a pen makes that does not stop.
fn loops(rng: &mut Rng) -> Vec<Stroke> {
    let (steps, advance) = (17 + rng.below(24), between(rng, 0.1, 0.35));
    let height = between(rng, 0.8, 2.0);
    let point = |step: usize| {
        let x = advance * step as f32 + rng.uniform(0.1);
        arc((x, rng.uniform(0.2)), (1.0, height), step, 0)[0]
    };
    vec![smooth(&(0..steps).map(point).collect::<Vec<_>>())]
}

/// Something struck out again and again.
fn blot(rng: &mut Rng) -> Vec<Stroke> {
    let count = 12 + rng.below(25);
    let height = between(rng, 0.4, 1.5);
    let point = |index: usize| {
        let side = if index.is_multiple_of(2) { 1.0 } else { -1.0 };
        let along = 2.0 * index as f32 / count as f32 - 1.0;
        (side * between(rng, 0.5, 1.0) + 0.3 * along, height * (along + rng.uniform(0.4)))
    };
    vec![(0..count).map(point).collect()]
}

/// Short lines all over the place, or one dot.
fn short_strokes(rng: &mut Rng) -> Vec<Stroke> {
    if chance(rng, 15) {
        return vec![vec![(0.0, 0.0)]];
    }
    let count = 4 + rng.below(6);
    let stroke = |_| {
        let from = point(rng);
        let (x, y) = direction(rng);
        let length = between(rng, 0.0, 0.7);
        vec![from, (from.0 + length * x, from.1 + length * y)]
    };
    (0..count).map(stroke).collect()
}
