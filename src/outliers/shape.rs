//! Points and curves made without sines, so that every machine draws the same.

use crate::rng::Rng;

/// x to the right, y downwards.
pub(super) type Point = (f32, f32);

/// The points of a stroke of the pen.
pub(super) type Stroke = Vec<Point>;

/// Eight points around a circle, clockwise from the right.
const OCTANTS: [Point; 8] = [
    (1.0, 0.0),
    (DIAGONAL, DIAGONAL),
    (0.0, 1.0),
    (-DIAGONAL, DIAGONAL),
    (-1.0, 0.0),
    (-DIAGONAL, -DIAGONAL),
    (0.0, -1.0),
    (DIAGONAL, -DIAGONAL),
];

const DIAGONAL: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// A number of the even distribution from `low` to `high`.
pub(super) fn between(rng: &mut Rng, low: f32, high: f32) -> f32 {
    (low + high) / 2.0 + rng.uniform((high - low) / 2.0)
}

/// Whether something happens that does so in `percent` of the cases.
pub(super) fn chance(rng: &mut Rng, percent: usize) -> bool {
    rng.below(100) < percent
}

/// A point of the square from −1 to 1.
pub(super) fn point(rng: &mut Rng) -> Point {
    (rng.uniform(1.0), rng.uniform(1.0))
}

/// A direction, each as probable as any other.
pub(super) fn direction(rng: &mut Rng) -> Point {
    loop {
        let (x, y) = point(rng);
        let square = x * x + y * y;
        if (0.01..=1.0).contains(&square) {
            return (x / square.sqrt(), y / square.sqrt());
        }
    }
}

/// `steps` eighths of an ellipse, clockwise from octant `first`.
pub(super) fn arc(centre: Point, radii: (f32, f32), first: usize, steps: usize) -> Stroke {
    let point = |step| {
        let (x, y) = OCTANTS[(first + step) % 8];
        (centre.0 + radii.0 * x, centre.1 + radii.1 * y)
    };
    smooth(&(0..=steps).map(point).collect::<Vec<_>>())
}

/// Cuts the corners of a line twice; its ends stay where they are.
///
/// # Source
/// Chaikin, *An algorithm for high-speed curve generation* (Computer Graphics and
/// Image Processing 3, 1974).
pub(super) fn smooth(points: &[Point]) -> Stroke {
    let cut = |points: &[Point]| {
        let mut smoother = vec![points[0]];
        for pair in points.windows(2) {
            for share in [0.25, 0.75] {
                let mix = |from: f32, to: f32| from + share * (to - from);
                smoother.push((mix(pair[0].0, pair[1].0), mix(pair[0].1, pair[1].1)));
            }
        }
        smoother.push(points[points.len() - 1]);
        smoother
    };
    cut(&cut(points))
}

/// The same strokes, leaning to a side by at most `slant` and turned by at most
/// the angle whose tangent is `turn`.
pub(super) fn lean(strokes: &mut [Stroke], slant: f32, turn: f32, rng: &mut Rng) {
    let (slant, turn) = (rng.uniform(slant), rng.uniform(turn));
    for (x, y) in strokes.iter_mut().flatten() {
        let slanted = *x + slant * *y;
        (*x, *y) = (slanted - turn * *y, *y + turn * slanted);
    }
}

/// The same strokes, turned by `quarters` of a circle.
pub(super) fn turn(strokes: &mut [Stroke], quarters: usize) {
    for (x, y) in strokes.iter_mut().flatten() {
        for _ in 0..quarters {
            (*x, *y) = (-*y, *x);
        }
    }
}
