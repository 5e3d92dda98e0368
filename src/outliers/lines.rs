//! Figures of straight lines: what capital letters, arrows and stars are made of.

use crate::outliers::shape::{Point, Stroke, between, chance, direction, lean, turn};
use crate::rng::Rng;

/// A figure of 2 to 8 straight lines.
pub(super) fn lines(rng: &mut Rng) -> Vec<Stroke> {
    let mut strokes = match rng.below(8) {
        0 => spokes(rng),
        1 => comb(rng),
        2 => ladder(rng),
        3 => zigzag(rng),
        4 => corner(rng),
        _ => graph(rng),
    };
    lean(&mut strokes, 0.2, 0.15, rng);
    strokes
}

/// Arms from a point in at least three directions.
fn spokes(rng: &mut Rng) -> Vec<Stroke> {
    let mut arms: Vec<Point> = Vec::new();
    let count = 3 + rng.below(4);
    while arms.len() < count {
        let (x, y) = direction(rng);
        // Further apart than 32 degrees, which leaves room for six.
        if arms.iter().all(|arm| arm.0 * x + arm.1 * y < 0.85) {
            arms.push((x, y));
        }
    }
    let length = |rng: &mut Rng| between(rng, 0.7, 1.4);
    let stroke = |&(x, y): &Point| {
        let length = length(rng);
        vec![(0.0, 0.0), (length * x, length * y)]
    };
    arms.iter().map(stroke).collect()
}

/// A spine with parallel bars, to its right or across it. Those to its left alone
/// would make a 3 and a 7.
fn comb(rng: &mut Rng) -> Vec<Stroke> {
    let bars = 1 + rng.below(4);
    let is_across = bars == 1 || chance(rng, 30);
    let length = between(rng, 0.6, 1.2);
    let (slope, head) = (rng.uniform(0.3), between(rng, 0.0, 0.5));
    let mut strokes = vec![vec![(0.0, -1.0), (0.0, 1.0)]];
    for bar in 0..bars {
        // One bar alone, near the foot, would make a 1.
        let share = if bars == 1 { head } else { bar as f32 / (bars - 1) as f32 };
        let y = 2.0 * share - 1.0 + rng.uniform(0.15);
        let length = length * between(rng, 0.8, 1.2);
        let from = if is_across { -length } else { 0.0 };
        strokes.push(vec![(from, y + slope * from), (length, y + slope * length)]);
    }
    let quarters = if chance(rng, 50) { 0 } else { 1 + 2 * rng.below(2) };
    turn(&mut strokes, quarters);
    strokes
}

/// Two posts and the bars between them.
fn ladder(rng: &mut Rng) -> Vec<Stroke> {
    let (width, overhang) = (between(rng, 0.4, 1.0), between(rng, 0.0, 0.5));
    let mut strokes = vec![vec![(-width, -1.0), (-width, 1.0)], vec![(width, -1.0), (width, 1.0)]];
    for _ in 0..1 + rng.below(3) {
        let (left, right) = (rng.uniform(0.7), rng.uniform(0.7));
        strokes.push(vec![(-width - overhang, left), (width + overhang, right)]);
    }
    strokes
}

/// Up and down from left to right: V, N, W and longer.
fn zigzag(rng: &mut Rng) -> Vec<Stroke> {
    let count = 3 + rng.below(5);
    // One peak alone would be a 1 with its flag, so that three points make a valley.
    let first = if count == 3 { 0 } else { rng.below(2) };
    let step = between(rng, 0.4, 1.0);
    let point = |index: usize| {
        let y = if (first + index).is_multiple_of(2) { -1.0 } else { 1.0 };
        (step * (index as f32 + rng.uniform(0.2)), y + rng.uniform(0.3))
    };
    vec![(0..count).map(point).collect()]
}

/// Two lines that meet at their left: L, Γ's mirror images and brackets.
fn corner(rng: &mut Rng) -> Vec<Stroke> {
    let up = (rng.uniform(0.3), -between(rng, 0.8, 1.4));
    let right = (between(rng, 0.7, 1.2), rng.uniform(0.3));
    let mut stroke = vec![up, (0.0, 0.0), right];
    if chance(rng, 40) {
        // A third side: a bracket, open to the right or upwards.
        let (x, y) = if chance(rng, 50) { (right.0, up.1) } else { (0.0, up.1) };
        let end = (x + rng.uniform(0.2), y + rng.uniform(0.2));
        if x > 0.0 { stroke.push(end) } else { stroke.insert(0, (right.0, up.1)) }
    }
    vec![stroke]
}

/// Lines between the points of a grid that cross or branch.
fn graph(rng: &mut Rng) -> Vec<Stroke> {
    loop {
        let rows = 3 + rng.below(2);
        let jitter = |rng: &mut Rng| rng.uniform(0.2);
        let point = |index: usize| {
            ((index % 3) as f32 + jitter(rng), 0.9 * (index / 3) as f32 + jitter(rng))
        };
        let points: Vec<Point> = (0..3 * rows).map(point).collect();
        let count = 3 + rng.below(4);
        let mut edges: Vec<[usize; 2]> = Vec::new();
        let mut from = rng.below(points.len());
        while edges.len() < count {
            if chance(rng, 25) {
                from = rng.below(points.len());
            }
            let to = rng.below(points.len());
            let edge = [from.min(to), from.max(to)];
            if from != to && !edges.contains(&edge) {
                edges.push(edge);
                from = to;
            }
        }
        if is_figure(&points, &edges) {
            return edges.iter().map(|edge| edge.map(|index| points[index]).to_vec()).collect();
        }
    }
}

/// Whether lines branch or cross more than once. Those that do not are chains and
/// rings, as digits are, and one crossing alone is in a 4, a 7 and an 8.
fn is_figure(points: &[Point], edges: &[[usize; 2]]) -> bool {
    let mut branches = 0;
    for index in 0..points.len() {
        let lines = edges.iter().filter(|edge| edge.contains(&index)).count();
        branches += lines.saturating_sub(2);
    }
    let mut crossings = 0;
    for (index, &first) in edges.iter().enumerate() {
        for &second in &edges[index + 1..] {
            crossings += usize::from(cross(first.map(|i| points[i]), second.map(|i| points[i])));
        }
    }
    branches + crossings >= 2
}

/// Whether two lines cross between their ends.
fn cross(first: [Point; 2], second: [Point; 2]) -> bool {
    let side = |[a, b]: [Point; 2], p: Point| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
    side(first, second[0]) * side(first, second[1]) < 0.0
        && side(second, first[0]) * side(second, first[1]) < 0.0
}
